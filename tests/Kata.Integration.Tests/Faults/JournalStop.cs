using System.Globalization;
using Kata.Integration.Tests.Hypervisor;
using Kata.Linux;

namespace Kata.Integration.Tests.Faults;

/// <summary>
/// Stops a pod's service at a line of its journal: strace(1) sends SIGSTOP to the thread that writes there, and the kernel acts on it
/// before that thread is back from its write(2). The thread holds the journal's lock at that moment, so no other line follows.
/// </summary>
/// <remarks>
/// strace counts calls for each thread, and the lines come from several: so it stops at each line, and the service is told to go on until
/// the line is the wanted one. There the tracer is killed. The kernel leaves what is stopped so (ptrace(2), "If the tracer dies"), and the
/// rest of the test has no tracer: nobody keeps a process from ending. --seccomp-bpf would be faster, but its filter would stay and refuse
/// every write.
/// </remarks>
internal sealed class JournalStop
{
    private const string Tracer = "/usr/bin/strace";

    private readonly FaultHarness _host;
    private readonly string _journal;
    private readonly string _record;
    private readonly string _id;

    private JournalStop(FaultHarness host, string id)
    {
        (_host, _id) = (host, id);
        _journal = JournalOf(host, id);
        _record = Path.Combine(host.Directory, "trace");
        Command = host.StartRaw(
            Tracer,
            [
                "-D", "-f", "-qq", "-o", _record, // -D: the command is our child and the tracer is not
                "-P", _journal, "-e", "trace=write", "-e", "inject=write:signal=STOP", "-e", "signal=STOP",
                FaultHarness.Runtime, .. host.WithOptions("create", "-b", host.Bundle(), id),
            ]);
    }

    /// <summary>The <c>create</c> itself.</summary>
    public FaultCommand Command { get; }

    /// <summary>The service, stopped.</summary>
    public int Service { get; private set; }

    /// <summary>Begins to create a container in a pod of its own; returns when its service has written that line and is stopped.</summary>
    public static async Task<JournalStop> CreateAsync(FaultHarness host, string id, int line)
    {
        Assert.SkipUnless(File.Exists(Tracer), $"needs {Tracer} (strace)");
        var stop = new JournalStop(host, id);
        await stop.ReachAsync(line);
        return stop;
    }

    public static string JournalOf(FaultHarness host, string id) => Path.Combine(host.Root, id, "journal");

    public static int LinesOf(string journal) => File.ReadAllBytes(journal).Count(static value => value == '\n');

    /// <summary>Has the service go on.</summary>
    public void Continue() => FaultHarness.Signal(Service, Signals.SIGCONT);

    private async Task ReachAsync(int line)
    {
        for (int stops = 1; ; stops++)
        {
            await FaultHarness.UntilAsync(
                () => IsStopped(stops) || Command.HasExited, $"the service is stopped for the {stops}th time, for line {line}");
            Assert.False(Command.HasExited, $"the create has ended before line {line}");
            Assert.Equal(stops, LinesOf(_journal));
            Service = _host.ServicePid(_id);
            if (stops == line)
            {
                break;
            }

            Continue();
        }

        FaultHarness.Kill(int.Parse(ProcessStatus.Read(Service)["TracerPid"], CultureInfo.InvariantCulture));
        // Each thread wakes as the tracer goes, and is stopped again before it is back in the program.
        await FaultHarness.UntilAsync(
            () => Threads().All(static thread => thread["TracerPid"] == "0" && thread["State"] == "T (stopped)"),
            "the service is stopped and has no tracer");
        Assert.Equal(line, LinesOf(_journal));
    }

    // The signal has reached a writer so many times, and the last time the kernel has begun to stop all threads: a SIGCONT now ends this
    // stop and prevents none.
    private bool IsStopped(int times)
    {
        if (!File.Exists(_record))
        {
            return false;
        }

        string[] parts = File.ReadAllText(_record).Split("--- SIGSTOP {");
        return parts.Length == times + 1 && parts[^1].Contains("--- stopped by SIGSTOP ---", StringComparison.Ordinal);
    }

    private IEnumerable<ProcessStatus> Threads() => Directory.GetDirectories($"/proc/{Service}/task")
        .Select(static path => ProcessStatus.Read(int.Parse(Path.GetFileName(path), CultureInfo.InvariantCulture)));
}
