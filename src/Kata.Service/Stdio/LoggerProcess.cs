using System.Globalization;
using Kata.Linux;
using Kata.Linux.Interop;
using Kata.Oci;

namespace Kata.Service;

/// <summary>
/// A program that reads a container's output, by containerd's logging contract: descriptor 3 is standard output, 4 standard error, and
/// it closes 5 when it is ready; <c>CONTAINER_ID</c> and <c>CONTAINER_NAMESPACE</c> are all of its environment. It runs in the pod's
/// control group, so whatever becomes of us, it ends with the pod.
/// </summary>
internal sealed class LoggerProcess : IAsyncDisposable
{
    /// <summary>How long it may take to say that it is ready; the container waits for it.</summary>
    private static readonly TimeSpan s_readyTimeout = TimeSpan.FromSeconds(12);

    /// <summary>After the end of its input, for what it still has to write; then it is asked to end.</summary>
    private static readonly TimeSpan s_endTimeout = TimeSpan.FromSeconds(5);

    /// <summary>After SIGTERM, as containerd's own shim gives it; then it is killed.</summary>
    private static readonly TimeSpan s_termTimeout = TimeSpan.FromSeconds(12);

    private readonly ChildProcess _child;
    private readonly TimeProvider _time;
    private Task? _end;

    private LoggerProcess(ChildProcess child, DescriptorStream output, DescriptorStream error, TimeProvider time) =>
        (_child, Output, Error, _time) = (child, output, error, time);

    /// <summary>
    /// What it reads as descriptor 3. Whoever started it owns the streams, and closes them before it disposes of the process.
    /// </summary>
    public DescriptorStream Output { get; }

    /// <summary>What it reads as descriptor 4.</summary>
    public DescriptorStream Error { get; }

    /// <summary>Starts it and waits until it is ready.</summary>
    /// <exception cref="IOException">It could not be started, or never became ready; nothing of it is left.</exception>
    public static async Task<LoggerProcess> StartAsync(
        StdioAddress program, string container, string containerdNamespace, SafeFileDescriptor? mountNamespace, TimeProvider time,
        CancellationToken cancellationToken)
    {
        (SafeFileDescriptor outputRead, SafeFileDescriptor outputWrite) = Pipe.Create();
        (SafeFileDescriptor errorRead, SafeFileDescriptor errorWrite) = Pipe.Create();
        (SafeFileDescriptor readyRead, SafeFileDescriptor readyWrite) = Pipe.Create();
        var output = new DescriptorStream(outputWrite);
        var error = new DescriptorStream(errorWrite);
        await using var ready = new DescriptorStream(readyRead);
        LoggerProcess? logger = null;
        // Ends early on: the caller (cancellationToken) or the logger's limit.
        using var limit = new CancellationTokenSource(s_readyTimeout, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            using (outputRead)
            using (errorRead)
            using (readyWrite)
            {
                logger = new LoggerProcess(Spawn(
                    new SpawnOptions
                    {
                        Path = program.Path,
                        Arguments = [program.Path, .. program.Arguments],
                        Environment = [$"CONTAINER_ID={container}", $"CONTAINER_NAMESPACE={containerdNamespace}"],
                        Descriptors = new Dictionary<int, SafeFileDescriptor> { [3] = outputRead, [4] = errorRead, [5] = readyWrite },
                        NewGroup = true, // so that a kill takes its children too
                        WorkingDirectory = "/",
                    },
                    mountNamespace), output, error, time);
            }

            _ = await ready.ReadAsync(new byte[1], both.Token);
            return logger;
        }
        catch (Exception failure)
        {
            await output.DisposeAsync();
            await error.DisposeAsync();
            if (logger is not null)
            {
                await logger.KillAsync();
            }

            throw failure switch
            {
                OperationCanceledException when !cancellationToken.IsCancellationRequested => new IOException(string.Create(
                    CultureInfo.InvariantCulture,
                    $"Cannot start the logger {SpecText.Quote(program.Path)}: it has not closed its descriptor 5 "
                        + $"within {s_readyTimeout.TotalSeconds:0} s, which says that it is ready. Correct the program, or the log URI")),
                LinuxException => new IOException(
                    $"Cannot start the logger {SpecText.Quote(program.Path)}: {failure.Message}. "
                        + "Correct the path in the log URI, or install the program",
                    failure),
                _ => failure,
            };
        }
    }

    /// <summary>
    /// Waits until it has written what it read, which is over with its input; one that stays is
    /// ended. Every further call waits for the same.
    /// </summary>
    public ValueTask DisposeAsync() => new(_end ??= EndAsync());

    private async Task EndAsync()
    {
        if (!await HasEndedAsync(s_endTimeout))
        {
            _child.Kill(Signals.SIGTERM);
            if (!await HasEndedAsync(s_termTimeout))
            {
                await KillAsync();
            }
        }

    }

    private async Task KillAsync()
    {
        // Its group; the number cannot be another's while our child is not reaped, or any member lives.
        if (!_child.Exited.IsCompleted)
        {
            _ = LibC.kill(-_child.Pid, Signals.SIGKILL);
            _child.Kill(Signals.SIGKILL);
        }

        await _child.Exited;
    }

    private async Task<bool> HasEndedAsync(TimeSpan limit)
    {
        try
        {
            await _child.Exited.WaitAsync(limit, _time, CancellationToken.None);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
    }

    // It belongs to the host: it sees the mounts of whoever started us, not those of the pod.
    private static ChildProcess Spawn(SpawnOptions options, SafeFileDescriptor? mountNamespace) => ChildProcess.Adopt(
        NamespaceThread.RunIn(mountNamespace, "the pod's caller", () => ProcessSpawner.Spawn(options)));
}
