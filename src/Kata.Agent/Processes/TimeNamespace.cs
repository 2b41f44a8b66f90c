using System.Globalization;
using System.Text;
using Google.Protobuf.Collections;
using Kata.Agent.Protocol.Extension;
using Kata.Linux;
using Kata.Linux.Interop;

namespace Kata.Agent.Processes;

/// <summary>
/// A step between the agent and crun for containers whose clocks are offset (time_namespaces(7)): crun 1.8 dies of a time namespace
/// beside a pid namespace. This process makes the namespace, sets its clocks and becomes crun; crun's children are in it.
/// </summary>
/// <remarks>
/// Only 'crun create' is started so; 'crun exec' joins whatever namespaces the first process is in, this one too. Up to Linux 6.1 crun
/// itself stays outside, as the kernel gives the namespace to children only. From 6.2 on exec(2) enters it too: the start time of the first
/// process that crun then notes is by the offset clock, and the other commands, outside, take the process for another one. It is put right.
/// </remarks>
internal static class TimeNamespace
{
    /// <summary>The name it is started under; the offsets come next, then crun's own name and arguments.</summary>
    public const string Argument = "time-namespace";

    private const string LogOption = "--log=";
    private const string StartTime = "\"process-start-time\":";
    private const nint Default = 0; // SIG_DFL

    /// <summary>The offsets as /proc/PID/timens_offsets takes them: a line for each clock.</summary>
    public static string Text(MapField<string, TimeOffset> offsets)
    {
        var text = new StringBuilder();
        foreach ((string clock, TimeOffset offset) in offsets)
        {
            text.Append(CultureInfo.InvariantCulture, $"{clock} {offset.Seconds} {offset.Nanoseconds}\n");
        }

        return text.ToString();
    }

    /// <summary>Has crun's note of a container say when its first process started as everybody outside sees it.</summary>
    /// <param name="status">The note, a JSON document.</param>
    /// <param name="stat">The process's <c>/proc/PID/stat</c>, proc(5).</param>
    public static string PutRight(string status, string stat)
    {
        int begin = status.IndexOf(StartTime, StringComparison.Ordinal);
        if (begin < 0)
        {
            return status;
        }

        int number = begin + StartTime.Length;
        int end = number;
        while (end < status.Length && status[end] is ' ' or (>= '0' and <= '9'))
        {
            end++;
        }

        return string.Concat(status.AsSpan(0, number), " ", StartTimeOf(stat), status.AsSpan(end));
    }

    // Field 22; the second one, in brackets, may hold anything, and the third follows it.
    private static string StartTimeOf(string stat) => stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[22 - 3];

    /// <summary>What starts a process there instead of outside.</summary>
    public static SpawnOptions Enter(SpawnOptions crun, string offsets) =>
        crun with { Path = "/proc/self/exe", Arguments = [Argument, offsets, .. crun.Arguments] };

    /// <summary>Becomes crun. Returns only when it cannot, with a status for that; why is in crun's log.</summary>
    public static int Run(string executable, string[] arguments)
    {
        try
        {
            // The kernel gives the namespace to what the calling thread forks, and this is the process's first thread: /proc/self is it.
            LinuxException.ThrowIfNegative(LibC.unshare(LibC.CLONE_NEWTIME), "unshare", "make a time namespace");
            if (arguments[1].Length > 0)
            {
                File.WriteAllText("/proc/self/timens_offsets", arguments[1]);
            }

            _ = LibC.signal(Signals.SIGPIPE, Default); // which the .NET runtime ignores, and exec keeps that
            _ = LibC.execve(executable, [.. arguments[2..], null], [$"PATH={Environment.GetEnvironmentVariable("PATH")}", null]);
            throw LinuxException.FromLastErrno("execve", $"start '{executable}'");
        }
        catch (Exception error) when (error is LinuxException or IOException or UnauthorizedAccessException)
        {
            Tell(arguments, $"cannot set the clocks: {ErrorText.CauseOf(error)}");
            return 1;
        }
    }

    private static void Tell(string[] arguments, string text)
    {
        if (arguments.FirstOrDefault(static item => item.StartsWith(LogOption, StringComparison.Ordinal)) is { } log)
        {
            File.AppendAllText(log[LogOption.Length..], text + "\n");
        }
    }
}
