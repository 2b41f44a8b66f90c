using System.Globalization;
using Kata.Agent.Processes;
using Kata.Linux;

namespace Kata.Agent.Containers;

/// <summary>Runs crun, which makes the containers. Each call is one short process; its error text comes from its log file.</summary>
internal sealed class Crun(Reaper reaper)
{
    /// <summary>Where crun keeps its own state, one directory a container.</summary>
    public const string StateRoot = "/run/crun";

    public const string Executable = "/usr/bin/crun";
    private const int LogLimit = 64 * 1024;

    // A hook of the container may take its time; the host's own deadline for the whole call is shorter by default.
    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(5);

    private static readonly string[] s_environment = ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"];

    /// <summary>Runs one command to its end.</summary>
    /// <param name="arguments">The command and its arguments.</param>
    /// <param name="descriptors">What the command, and so the container's process, gets as 0, 1 and 2.</param>
    /// <param name="logPath">A file of this call alone.</param>
    /// <param name="command">The container process's first word, for the error text.</param>
    /// <param name="action">What this is for, for the error text.</param>
    /// <param name="cancellationToken">Ends crun, with the process that it is about to make.</param>
    /// <param name="timeOffsets">
    /// For a process in a time namespace, its clocks' offsets as text; null for one with the guest's clocks.
    /// </param>
    /// <param name="oomScore">For a further process, its <c>oom_score_adj</c>: crun 1.8 sets that of a first one only.</param>
    /// <exception cref="Grpc.Core.RpcException">crun failed; the text is runc's where callers match on it.</exception>
    /// <exception cref="OperationCanceledException">It was not started, or ended before it was done.</exception>
    public async Task RunAsync(
        IReadOnlyList<string> arguments, IReadOnlyDictionary<int, SafeFileDescriptor> descriptors, string logPath, string command,
        string action, CancellationToken cancellationToken, string? timeOffsets = null, int oomScore = 0)
    {
        cancellationToken.ThrowIfCancellationRequested();
        (int pid, Task<ExitStatus> exited) = reaper.Spawn(Options(arguments, logPath, descriptors, timeOffsets), oomScore);
        ExitStatus status;
        try
        {
            status = await exited.WaitAsync(s_limit, cancellationToken);
        }
        catch (Exception error) when (error is TimeoutException or OperationCanceledException)
        {
            if (!exited.IsCompleted)
            {
                await KillAsync(pid, exited);
                throw error is TimeoutException
                    ? AgentException.Of(
                        Grpc.Core.StatusCode.DeadlineExceeded, $"Cannot {action}: crun did not end within {s_limit.TotalMinutes:0} minutes")
                    : error;
            }

            status = await exited; // it was done a moment before: what it made is the caller's to end
        }

        if (status.Code != 0)
        {
            throw CrunErrors.Translate(ReadTail(logPath, LogLimit), status, command, action);
        }
    }

    /// <summary>Runs one command on a container that is there. One at a time: the caller has the container's turn.</summary>
    public async Task RunOnAsync(Container container, string verb, string[] arguments, CancellationToken cancellationToken)
    {
        string log = container.NewFile(verb);
        try
        {
            await RunAsync(
                arguments, new Dictionary<int, SafeFileDescriptor>(), log, "", $"{verb} the container '{container.Id}'", cancellationToken);
        }
        finally
        {
            File.Delete(log);
        }
    }

    /// <summary>What one command of crun is started with.</summary>
    public static SpawnOptions Options(
        IReadOnlyList<string> arguments, string logPath, IReadOnlyDictionary<int, SafeFileDescriptor> descriptors,
        string? timeOffsets = null)
    {
        var options = new SpawnOptions
        {
            Path = Executable,
            Arguments = ["crun", $"--root={StateRoot}", "--cgroup-manager=cgroupfs", $"--log={logPath}", .. arguments],
            Environment = s_environment,
            Descriptors = descriptors,
        };
        return timeOffsets is null ? options : TimeNamespace.Enter(options, timeOffsets);
    }

    // What it has made so far would go on without it. While everything stands still, nothing can make more.
    private static async Task KillAsync(int pid, Task<ExitStatus> exited)
    {
        var stopped = new List<int>();
        List<int> found = [pid];
        while (found.Count > 0)
        {
            foreach (int process in found)
            {
                _ = Kata.Linux.Interop.LibC.kill(process, Signals.SIGSTOP);
            }

            stopped.AddRange(found);
            found = ProcFiles.DescendantsOf(pid);
            found.RemoveAll(stopped.Contains);
        }

        foreach (int process in stopped)
        {
            _ = Kata.Linux.Interop.LibC.kill(process, Signals.SIGKILL); // our child and its own, not reaped: the numbers are still theirs
        }

        await exited;
    }

    /// <summary>Reads the file that <c>--pid-file</c> named.</summary>
    public static int ReadPid(string path) => int.Parse(File.ReadAllText(path), NumberStyles.None, CultureInfo.InvariantCulture);

    /// <summary>The last bytes of a file as text; nothing when it does not exist.</summary>
    public static string ReadTail(string path, int limit)
    {
        if (!File.Exists(path))
        {
            return "";
        }

        using FileStream log = File.OpenRead(path);
        byte[] buffer = new byte[(int)Math.Min(log.Length, limit)];
        log.Seek(-buffer.Length, SeekOrigin.End);
        log.ReadExactly(buffer);
        return System.Text.Encoding.UTF8.GetString(buffer);
    }
}
