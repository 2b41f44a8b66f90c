using Grpc.Core;
using Kata.Agent.Protocol;

namespace Kata.Sandbox;

/// <summary>One process of a container in the guest: its first one or an exec. Its exit is reported once its output is complete.</summary>
internal sealed class GuestProcess : IAsyncDisposable
{
    /// <summary>What is reported for a process whose VM, agent or channel died. Never 0: a killed VM is no success.</summary>
    public const uint LostStatus = 255;

    private readonly AgentConnection _agent;
    private readonly Func<Task<string>> _lossReason;
    private readonly TimeSpan _drainTimeout;
    private readonly TimeProvider _time;
    private readonly TaskCompletionSource<ProcessExit> _exited = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource _stopping = new();
    private IStdioPump? _stdio;
    private IDisposable? _inputKeeper; // the streams own it
    private Task _waitLoop = Task.CompletedTask;
    private ProcessExit? _exit;

    /// <param name="agent">The guest's agent.</param>
    /// <param name="container">The container's id.</param>
    /// <param name="execId">Empty for the container's first process.</param>
    /// <param name="drainTimeout">How long a reader that takes nothing may hold up the exit's report.</param>
    /// <param name="lossReason">Asked when the channel is lost: why.</param>
    /// <param name="time">The clock.</param>
    public GuestProcess(
        AgentConnection agent, string container, string execId, TimeSpan drainTimeout, Func<Task<string>> lossReason, TimeProvider time)
    {
        (_agent, Container, ExecId, _drainTimeout, _lossReason, _time) = (agent, container, execId, drainTimeout, lossReason, time);
    }

    public string Container { get; }

    public string ExecId { get; }

    /// <summary>Completes when the process has ended and its output has reached the reader. Never faults.</summary>
    public Task<ProcessExit> Exited => _exited.Task;

    /// <inheritdoc cref="IStdioPump.ErrorClosed"/>
    public Task ErrorClosed => _stdio?.ErrorClosed ?? throw new InvalidOperationException("The streams are not attached");

    /// <summary>How it ended, or null while <see cref="Exited"/> is not complete.</summary>
    public ProcessExit? Exit => Volatile.Read(ref _exit);

    /// <summary>What the caller named the streams.</summary>
    public StdioNames Names { get; private set; } = StdioNames.None;

    /// <summary>
    /// Connects the streams and begins to wait. Call once, after the agent made the process. Takes ownership of <paramref name="stdio"/>.
    /// </summary>
    public void Attach(ProcessStdio stdio)
    {
        Describe(stdio);
        _stdio = _agent.Extension is { } extension
            ? new StreamedStdioPump(extension, Container, ExecId, stdio, _agent.Condemn)
            : new UnaryStdioPump(_agent.Agent, Container, ExecId, stdio);
        _waitLoop = WaitAsync(_stdio); // ends when the process or the channel does, or on _stopping
    }

    /// <summary>Sends a signal.</summary>
    /// <exception cref="AgentException">The agent refused; <see cref="StatusCode.NotFound"/>: the process has ended.</exception>
    public Task SignalAsync(uint signal, CancellationToken cancellationToken) => AgentConnection.CallAsync(
        $"send signal {signal} to '{Name}'",
        _agent.Agent.SignalProcessAsync(
            new SignalProcessRequest { ContainerId = Container, ExecId = AgentExecId, Signal = signal }, _agent.Timed(cancellationToken)));

    /// <summary>Changes the size of the process's terminal.</summary>
    public Task ResizeAsync(uint rows, uint columns, CancellationToken cancellationToken) => AgentConnection.CallAsync(
        $"resize the terminal of '{Name}'",
        _agent.Agent.TtyWinResizeAsync(
            new TtyWinResizeRequest { ContainerId = Container, ExecId = AgentExecId, Row = rows, Column = columns },
            _agent.Timed(cancellationToken)));

    /// <summary>Ends the input of the process.</summary>
    public Task CloseInputAsync(CancellationToken cancellationToken) => AgentConnection.CallAsync(
        $"close the input of '{Name}'",
        _agent.Agent.CloseStdinAsync(
            new CloseStdinRequest { ContainerId = Container, ExecId = AgentExecId }, _agent.Timed(cancellationToken)));

    /// <summary>Lets the input end with its last writer, where something kept it open; false where nothing did.</summary>
    public bool ReleaseInput()
    {
        _inputKeeper?.Dispose();
        return _inputKeeper is not null;
    }

    /// <summary>
    /// Tells of the streams before they are connected: they may be asked for, and the input closed, before the process is started.
    /// </summary>
    internal void Describe(ProcessStdio stdio) => (_inputKeeper, Names) = (stdio.InputKeeper, stdio.Names);

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _waitLoop.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (_stdio is not null)
        {
            await _stdio.DisposeAsync();
        }

        End(new ProcessExit(LostStatus, _time.GetUtcNow(), "the container was deleted"));
        _stopping.Dispose();
    }

    /// <summary>
    /// In SignalProcess an empty exec id means every process of the container; the first process goes by the container's id.
    /// </summary>
    private string AgentExecId => ExecId.Length == 0 ? Container : ExecId;

    private string Name => ExecId.Length == 0 ? Container : $"{Container}/{ExecId}";

    private async Task WaitAsync(IStdioPump stdio)
    {
        ProcessExit exit;
        try
        {
            // No deadline: a container may run for years. The call ends with the channel.
            WaitProcessResponse response = await AgentConnection.CallAsync(
                $"wait for '{Name}'",
                _agent.Agent.WaitProcessAsync(
                    new WaitProcessRequest { ContainerId = Container, ExecId = AgentExecId },
                    new CallOptions(cancellationToken: _stopping.Token)));
            exit = new ProcessExit((uint)response.Status & 0xff, _time.GetUtcNow(), null);
        }
        catch (AgentException error) when (error.Code == StatusCode.Unavailable)
        {
            exit = new ProcessExit(LostStatus, _time.GetUtcNow(), await _lossReason());
        }
        catch (AgentException error) when (error.Code == StatusCode.Cancelled)
        {
            // Unless it was deleted, the pod failed and hung up before the channel's own end was seen.
            exit = new ProcessExit(
                LostStatus, _time.GetUtcNow(), _stopping.IsCancellationRequested ? "the container was deleted" : await _lossReason());
        }
        catch (AgentException error)
        {
            exit = new ProcessExit(LostStatus, _time.GetUtcNow(), error.Message);
        }

        // Output first, then the exit. A reader that takes nothing at all must not keep a dead process alive for ever.
        await Task.WhenAny(stdio.Drained, Task.Delay(_drainTimeout, _time, _stopping.Token));
        End(exit);
    }

    // The first one counts.
    private void End(ProcessExit exit)
    {
        if (Interlocked.CompareExchange(ref _exit, exit, null) is null)
        {
            _exited.TrySetResult(exit);
        }
    }
}
