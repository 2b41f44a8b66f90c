using System.CommandLine;
using Kata.Service;
using Microsoft.Extensions.Logging;

namespace Kata.Runtime;

/// <summary>The log of one command. Its first record names the version, the commit and the arguments.</summary>
internal sealed class CommandLog : IDisposable
{
    private CommandLog(RecordLog log) => Log = log;

    public RecordLog Log { get; }

    /// <exception cref="ArgumentException">A global option cannot be honoured on this host.</exception>
    public static CommandLog Begin(GlobalOptions globals, ParseResult result)
    {
        RecordLog log = CommandSubject.Of(globals, result).OpenLog(globals, result);
        string[] arguments = Environment.GetCommandLineArgs();
        log.Write(LogLevel.Information, "Command started",
            [new("command", result.CommandResult.Command.Name), new("arguments", Arguments.ForLog(arguments.AsSpan(1).ToArray()))]);
        if (result.GetValue(globals.SystemdCgroup) && !Directory.Exists("/run/systemd/system"))
        {
            log.Dispose();
            throw new ArgumentException(
                "Cannot use '--systemd-cgroup': systemd does not run on this host. Use the cgroupfs manager of your engine");
        }

        return new CommandLog(log);
    }

    public void Dispose() => Log.Dispose();
}
