using System.Text.Json;
using Kata.Linux;

namespace Kata.Hypervisor.Qemu.Qmp;

/// <summary>
/// The control channel of one QEMU. Answers find their command by id, events go to a callback; lines end with a newline.
/// </summary>
/// <remarks>
/// QEMU sends nothing but the greeting until <c>qmp_capabilities</c>; before that it has no events. The guest can make QEMU send
/// events without end: the callback must not block, and nothing is queued per event.
/// </remarks>
internal sealed class QmpConnection : IAsyncDisposable
{
    private readonly Stream _stream;
    private readonly Action<QmpMessage> _onEvent;
    private readonly TimeSpan _commandTimeout;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _stopping = new();
    private readonly SemaphoreSlim _writing = new(1, 1);
    private readonly TaskCompletionSource _greeted = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock _gate = new();
    private readonly Dictionary<long, TaskCompletionSource<QmpMessage>> _pending = []; // guarded by _gate
    private Exception? _failure; // guarded by _gate; set once, when the connection is of no use any more
    private long _nextId; // guarded by _gate
    private int _disposed;
    private readonly Task _receiveLoop;

    /// <param name="stream">Connected to QEMU; owned from here on.</param>
    /// <param name="onEvent">Gets each event, on the receiving loop; must neither block nor throw.</param>
    /// <param name="commandTimeout">How long the greeting and each command may take.</param>
    /// <param name="timeProvider">Measures that.</param>
    public QmpConnection(Stream stream, Action<QmpMessage> onEvent, TimeSpan commandTimeout, TimeProvider timeProvider)
    {
        _stream = stream;
        _onEvent = onEvent;
        _commandTimeout = commandTimeout;
        _time = timeProvider;
        _receiveLoop = RunReceiveLoopAsync(_stopping.Token); // ends on _stopping, at the end of the stream, or on a broken message
    }

    /// <summary>Completes, never faulted, when nothing will be received any more.</summary>
    public Task Closed => _receiveLoop;

    /// <summary>Why nothing will be received any more; null while something may be.</summary>
    public Exception? Failure
    {
        get
        {
            lock (_gate)
            {
                return _failure;
            }
        }
    }

    /// <summary>Waits for the greeting and leaves negotiation mode. Call once, first.</summary>
    public async Task OpenAsync(CancellationToken cancellationToken)
    {
        await WithDeadlineAsync(_greeted.Task, "the greeting", cancellationToken);
        await ExecuteAsync(QmpCommand.QmpCapabilities, cancellationToken);
    }

    /// <summary>Sends a command and returns its answer.</summary>
    /// <exception cref="HypervisorException">
    /// QEMU refused (its class is the code), did not answer in time, or the channel broke.
    /// </exception>
    public Task<JsonElement> ExecuteAsync(QmpCommand command, CancellationToken cancellationToken) =>
        ExecuteAsync(command, null, cancellationToken);

    /// <summary>The same with a descriptor beside the command (<c>add-fd</c>, <c>getfd</c>).</summary>
    /// <param name="command">The command.</param>
    /// <param name="passed">Borrowed: QEMU gets a copy. Only over a unix socket. Null for none.</param>
    /// <param name="cancellationToken">Ends the wait; the command may be carried out all the same.</param>
    public async Task<JsonElement> ExecuteAsync(QmpCommand command, SafeFileDescriptor? passed, CancellationToken cancellationToken)
    {
        var source = new TaskCompletionSource<QmpMessage>(TaskCreationOptions.RunContinuationsAsynchronously);
        long id;
        lock (_gate)
        {
            if (_failure is not null)
            {
                throw Lost(command.Name, _failure);
            }

            id = ++_nextId;
            _pending[id] = source;
        }

        try
        {
            await WithDeadlineAsync(SendAsync(command.ToLine(id), passed, cancellationToken), command.Name, cancellationToken);
            await WithDeadlineAsync(source.Task, command.Name, cancellationToken);
            QmpMessage answer = await source.Task;
            if (answer.Kind == QmpMessageKind.Return)
            {
                return answer.Data;
            }

            string text = $"Cannot run the command '{command.Name}' of QEMU: {PrintableText.Escape(answer.Description)}";
            throw new HypervisorException(text) { Code = PrintableText.Escape(answer.Name) };
        }
        finally
        {
            lock (_gate)
            {
                _pending.Remove(id);
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
        {
            return;
        }

        await _stopping.CancelAsync();
        await _stream.DisposeAsync();
        await _receiveLoop.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stopping.Dispose();
    }

    private static HypervisorException Lost(string command, Exception failure) =>
        new($"Cannot run the command '{command}' of QEMU: the control channel is closed", failure);

    private async Task SendAsync(byte[] line, SafeFileDescriptor? passed, CancellationToken cancellationToken)
    {
        await _writing.WaitAsync(cancellationToken);
        try
        {
            if (passed is null)
            {
                await _stream.WriteAsync(line, cancellationToken);
            }
            else
            {
                await ((DescriptorStream)_stream).SendAsync(line, passed, cancellationToken);
            }
        }
        catch (Exception error) when (error is not OperationCanceledException)
        {
            throw Lost("write", error);
        }
        finally
        {
            _writing.Release();
        }
    }

    // Ends early on: the caller (cancellationToken), the end of the connection (through the task), or the deadline.
    private async Task WithDeadlineAsync(Task task, string what, CancellationToken cancellationToken)
    {
        try
        {
            await task.WaitAsync(_commandTimeout, _time, cancellationToken);
        }
        catch (TimeoutException)
        {
            throw new HypervisorException($"Cannot control QEMU: {what} took longer than {_commandTimeout.TotalSeconds:0.###} s");
        }
    }

    private async Task RunReceiveLoopAsync(CancellationToken cancellationToken)
    {
        Exception failure;
        try
        {
            var lines = new QmpLineReader(_stream);
            while (await lines.ReadLineAsync(cancellationToken) is { } line)
            {
                if (!line.Span.Trim(" \r\t"u8).IsEmpty)
                {
                    Dispatch(QmpMessage.Parse(line.Span));
                }
            }

            failure = new QmpProtocolException("QEMU closed the control channel");
        }
        catch (Exception error) // the end of a loop: whatever it was, the waiters hear of it
        {
            failure = error;
        }

        End(failure);
    }

    private void Dispatch(QmpMessage message)
    {
        switch (message.Kind)
        {
            case QmpMessageKind.Greeting:
                _greeted.TrySetResult();
                break;
            case QmpMessageKind.Event:
                _onEvent(message);
                break;
            case QmpMessageKind.Return or QmpMessageKind.Error:
                TaskCompletionSource<QmpMessage>? source = null;
                lock (_gate)
                {
                    if (message.Id is { } id)
                    {
                        _pending.Remove(id, out source);
                    }
                }

                // Without a known id: the answer to a command that nobody waits for any more.
                source?.TrySetResult(message);
                break;
        }
    }

    private void End(Exception failure)
    {
        TaskCompletionSource<QmpMessage>[] waiters;
        lock (_gate)
        {
            _failure = failure;
            waiters = [.. _pending.Values];
            _pending.Clear();
        }

        var lost = new HypervisorException("Cannot control QEMU: the control channel is closed", failure);
        _greeted.TrySetException(lost);
        _ = _greeted.Task.Exception; // observed: perhaps nobody waits for the greeting
        foreach (TaskCompletionSource<QmpMessage> waiter in waiters)
        {
            waiter.TrySetException(lost);
        }
    }
}
