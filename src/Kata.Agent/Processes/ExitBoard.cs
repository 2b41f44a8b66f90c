using Kata.Linux;

namespace Kata.Agent.Processes;

/// <summary>
/// Brings together the exits the kernel reports and those who wait for them. An exit may come before anybody asks: crun writes
/// a container's pid to a file, and the process may be dead before the agent has read it. Such exits are kept, a bounded number.
/// </summary>
/// <remarks>
/// Process ids are reused, so an unclaimed exit carries a sequence number, and a claimer says since when the process can have existed.
/// </remarks>
internal sealed class ExitBoard
{
    /// <summary>Orphans of a busy container end here too; a claim comes within milliseconds, so this many cannot pass in between.</summary>
    internal const int UnclaimedLimit = 4096;

    private readonly Lock _gate = new();
    private readonly Dictionary<int, TaskCompletionSource<ExitStatus>> _waiting = []; // guarded by _gate
    private readonly Dictionary<int, (long Sequence, ExitStatus Status)> _unclaimed = []; // guarded by _gate
    private readonly Queue<(int Pid, long Sequence)> _order = []; // guarded by _gate
    private long _sequence; // guarded by _gate

    /// <summary>A mark to take before the process can exist.</summary>
    public long Now
    {
        get
        {
            lock (_gate)
            {
                return _sequence;
            }
        }
    }

    /// <summary>
    /// The exit of <paramref name="pid"/>, which came into being after <paramref name="since"/> was taken. One claimer a process.
    /// </summary>
    public Task<ExitStatus> Claim(int pid, long since)
    {
        lock (_gate)
        {
            if (_unclaimed.Remove(pid, out (long Sequence, ExitStatus Status) exit) && exit.Sequence > since)
            {
                return Task.FromResult(exit.Status);
            }

            var source = new TaskCompletionSource<ExitStatus>(TaskCreationOptions.RunContinuationsAsynchronously);
            _waiting[pid] = source;
            return source.Task;
        }
    }

    /// <summary>The kernel reported an exit.</summary>
    public void Post(int pid, ExitStatus status)
    {
        TaskCompletionSource<ExitStatus>? source;
        lock (_gate)
        {
            _sequence++;
            if (!_waiting.Remove(pid, out source))
            {
                _unclaimed[pid] = (_sequence, status);
                _order.Enqueue((pid, _sequence));
                while (_order.Count > UnclaimedLimit)
                {
                    (int oldest, long sequence) = _order.Dequeue();
                    if (_unclaimed.TryGetValue(oldest, out (long Sequence, ExitStatus Status) kept) && kept.Sequence == sequence)
                    {
                        _unclaimed.Remove(oldest);
                    }
                }
            }
        }

        source?.TrySetResult(status);
    }

    /// <summary>How many exits nobody asked for yet.</summary>
    internal int UnclaimedCount
    {
        get
        {
            lock (_gate)
            {
                return _unclaimed.Count;
            }
        }
    }
}
