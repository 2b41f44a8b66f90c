using Kata.Agent.Processes;
using Kata.Agent.Protocol.Oci;
using Kata.Agent.Stdio;
using Kata.Linux;

namespace Kata.Agent.Containers;

/// <summary>Has crun make a process, with the streams or the terminal that it is to have.</summary>
internal sealed class ProcessLauncher(Crun crun, Reaper reaper)
{
    /// <param name="launch">The process.</param>
    /// <param name="arguments">crun's command, of the file for the process id and the options for the terminal.</param>
    /// <param name="cancellationToken">Nobody wants it any more: it is ended.</param>
    /// <param name="timeOffsets">As <see cref="Crun.RunAsync"/> takes them.</param>
    /// <returns>The process; the caller owns it.</returns>
    /// <exception cref="Grpc.Core.RpcException">crun refused.</exception>
    public async Task<ContainerProcess> LaunchAsync(
        ProcessLaunch launch, Func<string, string[], string[]> arguments, CancellationToken cancellationToken, string? timeOffsets = null)
    {
        string pidFile = $"{launch.Files}.pid", log = $"{launch.Files}.log";
        Process process = launch.Process;
        TerminalSize? size = process.ConsoleSize is { Height: > 0 and <= ushort.MaxValue, Width: > 0 and <= ushort.MaxValue } box
            ? new TerminalSize((ushort)box.Height, (ushort)box.Width) : null;
        ProcessStdio stdio = process.Terminal ? ProcessStdio.CreateTerminal(size) : ProcessStdio.CreatePipes();
        ContainerProcess? launched = null;
        try
        {
            using ConsoleSocket? console = process.Terminal
                ? ConsoleSocket.Listen($"{launch.Files}.sock", launch.Extension?.PlainNewlines ?? false) : null;
            string command = process.Args.Count > 0 ? process.Args[0] : "";
            string[] consoleArguments = console is null ? [] : [$"--console-socket={console.Path}"];
            long since = reaper.Now; // before crun, or an early exit of the process could be taken for an older one's
            await crun.RunAsync(
                arguments(pidFile, consoleArguments), stdio.ChildDescriptors, log, command, launch.Action, cancellationToken, timeOffsets,
                launch.OomScore);
            int pid = Crun.ReadPid(pidFile);
            launched = new ContainerProcess(launch.ExecId, pid, stdio, reaper.Adopt(pid, since));
            stdio.ReleaseChildEnds();
            if (console is not null)
            {
                stdio.SetTerminal(await console.ReceiveAsync());
            }

            cancellationToken.ThrowIfCancellationRequested();
            return launched;
        }
        catch
        {
            launched?.Abandon();
            stdio.Dispose();
            throw;
        }
        finally
        {
            File.Delete(pidFile);
            File.Delete(log);
        }
    }
}
