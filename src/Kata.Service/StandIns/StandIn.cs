using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using Kata.Linux;

namespace Kata.Service;

/// <summary>
/// Stands on the host for one process in the guest: hands the caller's streams to the service, passes signals and terminal sizes
/// on, and ends as the process ends. In the foreground the command itself does this; detached, a tiny process of its own.
/// </summary>
internal sealed class StandIn : IAsyncDisposable
{
    /// <summary>What a service says when the process has closed its standard error: the caller's is to end too.</summary>
    internal const string ErrorClosed = "error-closed";

    /// <summary>Signals that mean something else to us or cannot be caught: signal(7).</summary>
    private static readonly HashSet<int> s_notForwarded =
    [
        Signals.SIGKILL, Signals.SIGSTOP, Signals.SIGCHLD, Signals.SIGPIPE, Signals.SIGWINCH, Signals.SIGTTIN, Signals.SIGTTOU,
        4, 5, 7, 8, 11, 31, // faults of our own: ILL TRAP BUS FPE SEGV SYS
        23, // URG
        32, 33, // libc's own
        Signals.SIGALRM, 26, 27, 29, // ALRM VTALRM PROF IO
    ];

    /// <summary>The service answers a hello at once; one that is stopped or overwhelmed must not hang its callers.</summary>
    private static readonly TimeSpan s_helloTimeout = TimeSpan.FromSeconds(30);

    private readonly LineConnection _connection;
    private readonly SafeFileDescriptor? _terminal;
    private readonly List<PosixSignalRegistration> _registrations = [];
    private Task _lastSend = Task.CompletedTask;

    private StandIn(LineConnection connection, SafeFileDescriptor? terminal) => (_connection, _terminal) = (connection, terminal);

    /// <summary>Registers with the service, before the process is created. Borrows the descriptors for the duration of the call.</summary>
    /// <param name="socketPath">The pod's stand-in socket.</param>
    /// <param name="container">The container.</param>
    /// <param name="execId">Empty for its first process.</param>
    /// <param name="terminal">Whose size the process's terminal has, or null when it has none. Kept until disposed.</param>
    /// <param name="streams">
    /// What to hand over: input, output and error; of a process with a terminal input and output, or the terminal for both.
    /// </param>
    /// <param name="plainNewlines">Whether the terminal that the output goes to puts the carriage return before a newline itself.</param>
    /// <param name="detached">This process is only a stand-in and belongs to the pod.</param>
    /// <param name="cancellationToken">Ends the wait for the answer.</param>
    /// <exception cref="TimeoutException">The service does not answer.</exception>
    public static async Task<StandIn> ConnectAsync(
        string socketPath, string container, string execId, SafeFileDescriptor? terminal, IReadOnlyList<SafeFileDescriptor> streams,
        bool plainNewlines, bool detached, CancellationToken cancellationToken)
    {
        TerminalSize size = terminal is null ? default : Terminal.GetSize(terminal) ?? default;
        var hello = new StandInHello
        {
            Container = container,
            ExecId = execId,
            Terminal = terminal is not null,
            Rows = size.Rows,
            Columns = size.Columns,
            PlainNewlines = plainNewlines,
            Detached = detached,
        };
        byte[] line = Encoding.UTF8.GetBytes(JsonSerializer.Serialize(hello, ServiceJsonContext.Default.StandInHello) + "\n");
        SafeFileDescriptor socket = UnixSocket.Connect(socketPath);
        var connection = new LineConnection(new DescriptorStream(socket));
        try
        {
            int sent = DescriptorPassing.Send(socket, line, [.. streams]);
            if (sent != line.Length)
            {
                throw new IOException("the service's socket took only a part of the hello");
            }

            string? answer = await connection.ReadLineAsync(null, cancellationToken)
                .WaitAsync(s_helloTimeout, TimeProvider.System, cancellationToken);
            return answer == "ok"
                ? new StandIn(connection, terminal)
                : throw new IOException($"Cannot register with the pod's service: {Refusal(answer)}");
        }
        catch (Exception error)
        {
            await connection.DisposeAsync();
            throw error is TimeoutException
                ? new TimeoutException(
                    $"Cannot register with the pod's service: it did not answer within {s_helloTimeout.TotalSeconds:0} s. "
                        + $"If it hangs, use 'kata-runtime delete --force {container}'")
                : error;
        }
    }

    /// <summary>From now on this process's signals go to the process in the guest.</summary>
    public void ForwardSignals()
    {
        for (int signal = 1; signal <= Signals.Last; signal++)
        {
            if (!s_notForwarded.Contains(signal))
            {
                int number = signal;
                Register(signal, () => SendAsync(string.Create(CultureInfo.InvariantCulture, $"signal {number}")));
            }
        }

        if (_terminal is { } terminal)
        {
            Register(Signals.SIGWINCH, () => Terminal.GetSize(terminal) is { } size
                ? SendAsync(string.Create(CultureInfo.InvariantCulture, $"resize {size.Rows} {size.Columns}"))
                : Task.CompletedTask);
        }
    }

    /// <summary>Waits until the process has ended. A service that is gone counts as status 255.</summary>
    /// <param name="errorClosed">Called when the process has closed its standard error.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async Task<(int Status, string? Reason)> WaitAsync(Action? errorClosed, CancellationToken cancellationToken)
    {
        try
        {
            while (await _connection.ReadLineAsync(null, cancellationToken) is { } line)
            {
                if (line == ErrorClosed)
                {
                    errorClosed?.Invoke();
                }

                string[] words = line.Split(' ', 3);
                if (words.Length >= 2
                    && words[0] == "exit" && int.TryParse(words[1], NumberStyles.None, CultureInfo.InvariantCulture, out int status))
                {
                    return (status, words.Length > 2 && words[2].Length > 0 ? words[2] : null);
                }
            }
        }
        catch (LinuxException)
        {
            // the connection broke: the same as its end
        }

        return (255, "the pod's service has ended unexpectedly");
    }

    public async ValueTask DisposeAsync()
    {
        _registrations.ForEach(static registration => registration.Dispose());
        await _connection.DisposeAsync();
    }

    private static string Refusal(string? answer) => answer is null
        ? "it closed the connection. See its log for why"
        : answer.StartsWith("error ", StringComparison.Ordinal) ? answer["error ".Length..] : answer;

    private void Register(int signal, Func<Task> action)
    {
        _registrations.Add(PosixSignalRegistration.Create((PosixSignal)signal, context =>
        {
            context.Cancel = true;
            _lastSend = action(); // kept so that a fault is not lost silently; the next read sees a dead connection
        }));
    }

    private async Task SendAsync(string line)
    {
        try
        {
            await _connection.WriteLineAsync(line, CancellationToken.None);
        }
        catch (Exception error) when (error is LinuxException or ObjectDisposedException)
        {
            // WaitAsync reports that the service is gone
        }
    }
}
