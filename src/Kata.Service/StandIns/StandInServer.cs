using System.Text.Json;
using Kata.Linux;
using Kata.Sandbox;

namespace Kata.Service;

/// <summary>Accepts stand-ins and keeps those that nobody has asked for yet.</summary>
internal sealed class StandInServer : IAsyncDisposable
{
    /// <summary>Stand-ins between hello and Create; more than a pod's concurrent creates is a mistake or an attack.</summary>
    internal const int MaxWaiting = 256;

    /// <summary>A stand-in says hello at once; whoever connects and stays silent is dropped.</summary>
    private static readonly TimeSpan s_helloTimeout = TimeSpan.FromSeconds(30);

    /// <summary>One short line fits into any socket's buffer, unless somebody fills it on purpose.</summary>
    private static readonly TimeSpan s_refusalTimeout = TimeSpan.FromSeconds(1);

    private readonly SocketListener _listener;
    private readonly AcquisitionJournal _journal;
    private readonly TimeProvider _time;
    private readonly Action<Exception> _failed;
    private readonly CancellationTokenSource _stopping = new();
    private readonly Lock _gate = new();
    private readonly Dictionary<(string Container, string ExecId), StandInSession> _waiting = []; // guarded by _gate
    private readonly List<Task> _recorded = []; // of detached stand-ins until they end; used by the accept loop, and after it
    private readonly Task _acceptLoop;
    private bool _disposed;

    /// <param name="socketPath">Where to listen.</param>
    /// <param name="journal">Of the pod.</param>
    /// <param name="time">The clock.</param>
    /// <param name="shortage">Told when stand-ins must wait because there is no descriptor for them.</param>
    /// <param name="failed">Told of a failure that is nobody's mistake: of one stand-in, or of all.</param>
    public StandInServer(
        string socketPath, AcquisitionJournal journal, TimeProvider time, Action<LinuxException>? shortage = null,
        Action<Exception>? failed = null)
    {
        (_journal, _time, _failed) = (journal, time, failed ?? (static _ => { }));
        _listener = new SocketListener(UnixSocket.Listen(socketPath), shortage);
        _acceptLoop = AcceptAsync(); // ends on _stopping
    }

    /// <summary>Takes the stand-in of a process; the caller owns it. Null: the process has none.</summary>
    public StandInSession? Take(string container, string execId)
    {
        lock (_gate)
        {
            return _waiting.Remove((container, execId), out StandInSession? session) ? session : null;
        }
    }

    /// <summary>Sends away those that wait for a process of this container: nobody will ask for them.</summary>
    public async Task DropAsync(string container)
    {
        List<StandInSession> dropped = [];
        lock (_gate)
        {
            foreach ((string Container, string ExecId) key in _waiting.Keys.Where(key => key.Container == container).ToArray())
            {
                dropped.Add(_waiting[key]);
                _waiting.Remove(key);
            }
        }

        foreach (StandInSession session in dropped)
        {
            await session.AbandonAsync(CancellationToken.None); // else it would tell its caller of an end without a reason
            await session.DisposeAsync();
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, true))
        {
            return;
        }

        await _stopping.CancelAsync();
        _listener.Dispose();
        await _acceptLoop.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await Task.WhenAll(_recorded).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        StandInSession[] left;
        lock (_gate)
        {
            left = [.. _waiting.Values];
            _waiting.Clear();
        }

        foreach (StandInSession session in left)
        {
            await session.DisposeAsync();
        }

        _stopping.Dispose();
    }

    /// <summary>
    /// Keeps a detached stand-in in the journal while it lives: it ends when we do, unless somebody has stopped it; then a remover
    /// finds it there. The task ends with the stand-in or with the server.
    /// </summary>
    internal Task RecordUntilItEnds(int pid)
    {
        PidFd? ended = PidFd.TryOpen(pid); // without a free descriptor it is refused
        if (ended is null)
        {
            return Task.CompletedTask;
        }

        try
        {
            if (ProcessIdentity.Of(pid) is not { } process)
            {
                ended.Dispose();
                return Task.CompletedTask; // it has ended already
            }

            _journal.Record(new ProcessAcquisition(process));
            return ReleaseAtEndAsync(ended, process);
        }
        catch
        {
            ended.Dispose();
            throw;
        }
    }

    private async Task AcceptAsync()
    {
        while (true)
        {
            SafeFileDescriptor socket;
            try
            {
                socket = await _listener.AcceptAsync(_stopping.Token);
            }
            catch (Exception error) when (!_stopping.IsCancellationRequested)
            {
                _failed(error); // nobody can stand in any more
                throw;
            }

            try
            {
                // One at a time: a hello is one message from our own program, and its sender waits for the answer.
                await WelcomeAsync(socket);
            }
            catch (Exception error) // a border: the next one is to be welcome
            {
                _failed(error);
            }
        }
    }

    private async Task WelcomeAsync(SafeFileDescriptor socket)
    {
        var descriptors = new List<SafeFileDescriptor>();
        var connection = new LineConnection(new DescriptorStream(socket));
        bool kept = false;
        using var limit = new CancellationTokenSource(s_helloTimeout, _time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, _stopping.Token);
        try
        {
            int pid = UnixSocket.PeerCredentials(socket).pid;
            if (await connection.ReadLineAsync(descriptors, both.Token) is { } line
                && JsonSerializer.Deserialize(line, ServiceJsonContext.Default.StandInHello) is { } hello)
            {
                if (hello.Detached)
                {
                    _recorded.RemoveAll(static task => task.IsCompleted);
                    _recorded.Add(RecordUntilItEnds(pid));
                }

                ProcessStdio stdio = HostStdio.Open(hello.Terminal, descriptors);
                descriptors.Clear(); // HostStdio owns them now
                var session = new StandInSession(connection, hello, pid, stdio);
                string? refusal = Keep(hello, session);
                kept = refusal is null;
                if (!kept)
                {
                    await stdio.DisposeAsync(); // its readers see the end now
                }

                await connection.WriteLineAsync(refusal is null ? "ok" : $"error {refusal}", both.Token);
            }
        }
        catch (Exception error) when (error is IOException or LinuxException)
        {
            await TryRefuseAsync(connection, ServiceStatus.TextOf(error)); // there is no room for it: a full disk, no descriptor
        }
        catch (Exception error) when (error is JsonException or InvalidDataException or OperationCanceledException)
        {
            // Whatever it was, it was no stand-in of ours; its connection is closed, which it sees.
        }
        finally
        {
            descriptors.ForEach(static descriptor => descriptor.Dispose());
            if (!kept)
            {
                await connection.DisposeAsync();
            }
        }
    }

    private static async Task TryRefuseAsync(LineConnection connection, string why)
    {
        try
        {
            using var limit = new CancellationTokenSource(s_refusalTimeout);
            await connection.WriteLineAsync($"error {why.ReplaceLineEndings(" ")}", limit.Token);
        }
        catch (Exception error) when (error is LinuxException or IOException or OperationCanceledException or ObjectDisposedException)
        {
            // It has gone, or does not read; its connection is closed, which it sees.
        }
    }

    private async Task ReleaseAtEndAsync(PidFd ended, ProcessIdentity process)
    {
        using (ended)
        {
            await ended.WaitAsync(_stopping.Token);
        }

        try
        {
            _journal.Release(new ProcessAcquisition(process));
        }
        catch (LinuxException)
        {
            // a full disk: the record stays, and no process answers to it any more
        }
    }

    // Why not, or null when it is kept.
    private string? Keep(StandInHello hello, StandInSession session)
    {
        lock (_gate)
        {
            if (_waiting.ContainsKey((hello.Container, hello.ExecId)))
            {
                return "this process has a stand-in already. End the other command first";
            }

            if (_waiting.Count >= MaxWaiting)
            {
                return $"{MaxWaiting} commands of this pod wait for their processes already. Wait for some of them to end, then try again";
            }

            _waiting.Add((hello.Container, hello.ExecId), session);
            return null;
        }
    }
}
