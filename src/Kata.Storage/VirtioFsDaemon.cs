using System.Globalization;
using Kata.Hypervisor;
using Kata.Linux;

namespace Kata.Storage;

/// <summary>
/// One virtiofsd that serves one directory to one guest. It runs as uid 0, as it must keep file owners, but confined to the
/// directory: own mount, pid and network namespaces, pivoted root, seccomp, no new privileges, few capabilities.
/// </summary>
/// <remarks>
/// The socket is bound, connected and unlinked before the daemon starts: nobody else can connect, nobody waits for a file to
/// appear, and the daemon's first accept(2) succeeds at once. It ends by itself when the VMM closes its side.
/// </remarks>
internal sealed class VirtioFsDaemon : IDeviceBackend
{
    /// <summary>What both daemons ask for by themselves where nobody tells them.</summary>
    internal const ulong WantedFiles = 1_000_000;

    /// <summary>
    /// CHOWN, DAC_OVERRIDE, FOWNER, FSETID, SETGID, SETUID, MKNOD and SETFCAP, which file operations for the guest need; and
    /// SETPCAP (8) and SYS_ADMIN (21), which the daemon confines itself with and then drops. Bits of linux/capability.h.
    /// </summary>
    private const ulong Capabilities = 0x880000db | (1ul << 8) | (1ul << 21);

    private const int QuotedMessages = 6;

    private readonly ChildProcess _process;
    private readonly LineTail _messages = new();
    private readonly TimeSpan _stopTimeout;
    private readonly TimeProvider _time;
    private SafeFileDescriptor? _client;
    private volatile bool _stopRequested;

    private VirtioFsDaemon(ChildProcess process, SafeFileDescriptor client, Stream messages, TimeSpan stopTimeout, TimeProvider time)
    {
        _process = process;
        _client = client;
        _stopTimeout = stopTimeout;
        _time = time;
        Exited = WatchAsync(_messages.FillAsync(messages)); // ends with the process
    }

    public int ProcessId => _process.Pid;

    /// <summary>The daemon and the child that it put into its own pid namespace.</summary>
    public IReadOnlyList<int> ProcessIds => [ProcessId, .. ReadChildren()];

    /// <summary>Completes, never faulted, with the reason why the daemon ended.</summary>
    public Task<DeviceBackendExit> Exited { get; }

    /// <summary>Starts the daemon from the calling process's mount namespace.</summary>
    /// <exception cref="StorageException">A value is invalid or the daemon cannot be started.</exception>
    public static async Task<VirtioFsDaemon> StartAsync(VirtioFsDaemonOptions options, TimeProvider? timeProvider = null)
    {
        TimeProvider clock = timeProvider ?? TimeProvider.System;
        VirtioFsDaemonProgram program = await VirtioFsDaemonProgram.AskAsync(options.Path, clock);
        using var openFiles = OpenFileLimit.RaiseHard(WantedFiles);
        (string executable, IReadOnlyList<string> arguments) = VirtioFsDaemonProgram.CommandOf(
            options.Path, VirtioFsDaemonCommandLine.Build(options with { OpenFiles = openFiles.Hard }, program.Kind));
        string path = Path.Combine(options.SocketDirectory, "fs.sock");
        SafeFileDescriptor? listener = null, client = null;
        (SafeFileDescriptor messagesOurs, SafeFileDescriptor messagesTheirs) = Pipe.Create();
        try
        {
            listener = UnixSocket.Listen(path, backlog: 1);
            client = UnixSocket.Connect(path);
            File.Delete(path);
            ChildProcess process = Spawn(new SpawnOptions
            {
                Path = executable,
                Arguments = arguments,
                Environment = [],
                Descriptors = new Dictionary<int, SafeFileDescriptor>
                {
                    [1] = messagesTheirs,
                    [2] = messagesTheirs,
                    [VirtioFsDaemonCommandLine.SocketNumber] = listener,
                },
                WorkingDirectory = "/",
            });
            return new VirtioFsDaemon(process, client, new DescriptorStream(messagesOurs), options.StopTimeout, clock);
        }
        catch (LinuxException error)
        {
            messagesOurs.Dispose();
            client?.Dispose();
            throw new StorageException($"Cannot start virtiofsd '{options.Path}' for '{options.SourceDirectory}'", error);
        }
        finally
        {
            listener?.Dispose();
            messagesTheirs.Dispose();
        }
    }

    /// <summary>The connected vhost-user socket for the VMM, once; the caller owns it.</summary>
    public SafeFileDescriptor TakeClientSocket() =>
        Interlocked.Exchange(ref _client, null) ?? throw new InvalidOperationException("The socket was taken before");

    /// <summary>
    /// Waits until the daemon has ended, as it does when the VMM is gone; kills it after <see cref="VirtioFsDaemonOptions.StopTimeout"/>
    /// or when <paramref name="cancellationToken"/> is cancelled. Idempotent.
    /// </summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        _stopRequested = true;
        Interlocked.Exchange(ref _client, null)?.Dispose();
        try
        {
            await Exited.WaitAsync(_stopTimeout, _time, cancellationToken);
        }
        catch (Exception error) when (error is TimeoutException or OperationCanceledException)
        {
            Kill();
            await Exited;
        }
    }

    /// <summary>Kills the daemon and its child now.</summary>
    public void Kill()
    {
        _stopRequested = true;
        // The child first: while the parent lives, unreaped, the child's number cannot mean another process.
        foreach (int child in ReadChildren())
        {
            _ = Kata.Linux.Interop.LibC.kill(child, Signals.SIGKILL); // ESRCH: gone already
        }

        _process.Kill(Signals.SIGKILL);
    }

    public async ValueTask DisposeAsync() => await StopAsync(CancellationToken.None);

    private static ChildProcess Spawn(SpawnOptions options)
    {
        using PreparedSpawn spawn = PreparedSpawn.Prepare(options);
        return ChildProcess.Adopt(NamespaceThread.Run(() =>
        {
            Credentials.LimitBoundingSetOnThread(Capabilities);
            // As the guest's user it makes a file, and would lose CAP_DAC_OVERRIDE: a directory that only an additional group may write, or
            // a process with that capability in the guest, got EACCES. The guest's kernel has checked the rights; owners stay the user's.
            Credentials.KeepCapabilitiesOfOtherUsersOnThread();
            LinuxException.ThrowIfNegative(
                Kata.Linux.Interop.LibC.prctl(Kata.Linux.Interop.LibC.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0),
                "prctl(NO_NEW_PRIVS)", "give up new privileges");
            return spawn.Launch();
        }));
    }

    private async Task<DeviceBackendExit> WatchAsync(Task messages)
    {
        ExitStatus? status = null;
        try
        {
            status = await _process.Exited;
            await messages.WaitAsync(_stopTimeout, _time);
        }
        catch (Exception error) when (error is TimeoutException or LinuxException or ObjectDisposedException)
        {
            // Told as far as known.
        }

        if (_stopRequested)
        {
            return new DeviceBackendExit(status, "virtiofsd was stopped on request", Requested: true);
        }

        IReadOnlyList<string> last = _messages.Last(QuotedMessages);
        string how = status switch
        {
            { Signal: { } signal } => $"virtiofsd was killed by signal {signal}",
            { Code: { } code } => $"virtiofsd ended with exit code {code}",
            _ => "virtiofsd's end could not be learnt",
        };
        return new DeviceBackendExit(status, last.Count == 0 ? how : $"{how}: {string.Join(" | ", last)}", Requested: false);
    }

    private IEnumerable<int> ReadChildren()
    {
        try
        {
            string text = File.ReadAllText($"/proc/{ProcessId}/task/{ProcessId}/children");
            return [.. text.Split(' ', StringSplitOptions.RemoveEmptyEntries)
                .Select(static item => int.Parse(item, CultureInfo.InvariantCulture))];
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return []; // gone
        }
    }
}
