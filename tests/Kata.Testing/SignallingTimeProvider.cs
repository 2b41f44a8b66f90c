using Microsoft.Extensions.Time.Testing;

namespace Kata.Testing;

/// <summary>A clock that stands still until it is advanced, and tells when somebody began to wait for it.</summary>
public sealed class SignallingTimeProvider : FakeTimeProvider
{
    private readonly TaskCompletionSource _created = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completes when the first timer exists.</summary>
    public Task TimerCreated => _created.Task;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        ITimer timer = base.CreateTimer(callback, state, dueTime, period);
        _created.TrySetResult();
        return timer;
    }
}
