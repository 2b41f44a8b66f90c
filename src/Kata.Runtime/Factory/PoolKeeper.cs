using System.Globalization;
using System.Text.Json;
using Kata.Configuration;
using Kata.Linux;
using Kata.Oci;
using Kata.Sandbox;
using Kata.Service;
using Microsoft.Extensions.Logging;

namespace Kata.Runtime.Factory;

/// <summary>
/// Keeps the pool full: makes one machine after the other, another one for each that a pod takes, and ends those that are not what the
/// configuration and its files say now. It waits for events alone, and nobody waits for it.
/// </summary>
/// <param name="sources">The configuration, which is read again before each machine.</param>
/// <param name="arguments">Those of each service, beside its name.</param>
/// <param name="log">Where records go.</param>
/// <param name="time">The clock.</param>
internal sealed class PoolKeeper(
    ConfigurationSources sources, IReadOnlyList<string> arguments, ILogger log, TimeProvider time) : IDisposable
{
    /// <summary>After a machine that could not be made; doubled by each that follows.</summary>
    private static readonly TimeSpan s_firstPause = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan s_longestPause = TimeSpan.FromMinutes(5);

    /// <summary>Around a machine's boot: its service's start.</summary>
    private static readonly TimeSpan s_around = TimeSpan.FromSeconds(30);

    private readonly SemaphoreSlim _look = new(0);
    private readonly List<PoolMember> _members = []; // of the loop alone, but for what Describe reads of a copy
    private readonly CancellationTokenSource _stopping = new();
    private FactoryStatus _status = new() { Pid = Environment.ProcessId, Wanted = 0 };
    private TimeSpan _pause = s_firstPause;
    private int _number;
    private long _claims;
    private long _misses;

    /// <summary>Cancelled when somebody has asked for the end.</summary>
    public CancellationToken Stopping => _stopping.Token;

    /// <summary>Asks for the end.</summary>
    public void Stop() => _stopping.Cancel();

    /// <summary>Keeps the pool until <see cref="Stop"/>; then nothing of it is left but what pods have.</summary>
    /// <param name="full">Called once, when the pool is full, or with why it is not yet.</param>
    public async Task RunAsync(Func<string?, Task> full)
    {
        FactoryConfig first = KataConfiguration.Load(sources).Factory;
        Directory.CreateDirectory(
            first.CacheDirectory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        using PodLock held = PodLock.TryTake(first.CacheDirectory) ?? throw new IOException(
            $"Cannot keep machines in '{first.CacheDirectory}': another factory does. "
            + "See 'kata-runtime factory status', or name another vm_cache_endpoint");
        await RemoveLeftoversAsync(first);
        File.Delete(first.CacheEndpoint); // a dead factory's
        using var listener = new SocketListener(UnixSocket.Listen(first.CacheEndpoint), error => log.Shortage(error.Message));
        Task answering = AnswerAsync(listener);
        try
        {
            await KeepAsync(first, full);
        }
        finally
        {
            await _stopping.CancelAsync();
            foreach (PoolMember member in _members)
            {
                await member.EndAsync();
            }

            File.Delete(first.CacheEndpoint);
            await answering.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Removes what a factory has left that was killed: its services end by themselves, unless they were killed too.</summary>
    public static async Task RemoveLeftoversAsync(FactoryConfig factory)
    {
        var directories = new SandboxDirectories(factory.CacheDirectory);
        foreach (SandboxId waiting in new WarmPool(directories).All())
        {
            await new SandboxRecovery(directories).RemoveAsync(waiting, CancellationToken.None);
        }
    }

    public void Dispose()
    {
        _stopping.Dispose();
        _look.Dispose();
    }

    private async Task KeepAsync(FactoryConfig first, Func<string?, Task> full)
    {
        var directories = new SandboxDirectories(first.CacheDirectory);
        Func<string?, Task>? tell = full;
        while (!_stopping.IsCancellationRequested)
        {
            string? problem = null;
            bool more = false;
            try
            {
                more = await StepAsync(directories);
                _pause = s_firstPause;
            }
            catch (Exception error) when (error is not OperationCanceledException) // a border: what fails now may not in a while
            {
                problem = ExitCodes.TextOf(error);
                log.PoolFailed(problem, _pause.TotalSeconds);
            }

            Describe(problem);
            if (tell is not null && !more)
            {
                await tell(problem);
                tell = null;
            }

            if (!more)
            {
                await WaitAsync(problem is null ? Timeout.InfiniteTimeSpan : _pause);
                _pause = problem is null ? s_firstPause : Min(_pause * 2, s_longestPause);
            }
        }
    }

    // Does one thing. Returns whether there may be another one to do.
    private async Task<bool> StepAsync(SandboxDirectories directories)
    {
        foreach (PoolMember gone in _members.Where(static member => member.Gone.IsCompleted).ToArray())
        {
            _members.Remove(gone);
            _claims += gone.Gone.IsCompletedSuccessfully && await gone.Gone ? 1 : 0;
        }

        Describe(_status.Problem);
        KataConfiguration configuration = KataConfiguration.Load(sources);
        SandboxPlan plan = WarmService.Plan(WarmPool.NameOf("plan", 0), configuration, directories);
        string key = MachineKey.Of(plan, FileStamp.Of);
        _status = _status with { Wanted = configuration.Factory.CacheNumber };
        if (_members.Find(member => !WarmPool.IsOf(member.Id, key)) is { } old)
        {
            log.PoolMemberOutdated(old.Id);
            await old.EndAsync();
            return true;
        }

        if (_members.Count > configuration.Factory.CacheNumber)
        {
            await _members[^1].EndAsync();
            return true;
        }

        if (_members.Count == configuration.Factory.CacheNumber)
        {
            return false;
        }

        RequireMemory(plan.Machine.MemoryMib);
        _members.Add(await PoolMember.StartAsync(
            directories, WarmPool.NameOf(key, ++_number), arguments, plan.Machine, configuration.Limits.BootTimeout + s_around));
        log.PoolMemberReady(_members[^1].Id);
        return true;
    }

    // A machine that waits must not be what makes another one fail.
    private static void RequireMemory(int mebibytes)
    {
        long available = HostMemory.AvailableMib();
        if (available < 2L * mebibytes)
        {
            throw new IOException(string.Create(
                CultureInfo.InvariantCulture,
                $"Cannot make another machine: the host has {available} MiB of memory left, and a machine may take {mebibytes}. "
                + $"It is tried again; lower vm_cache_number, or default_memory"));
        }
    }

    private async Task WaitAsync(TimeSpan limit)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(_stopping.Token);
        Task look = _look.WaitAsync(over.Token);
        await Task.WhenAny([look, Task.Delay(limit, time, over.Token), .. _members.Select(static member => (Task)member.Gone)]);
        await over.CancelAsync();
        await look.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private void Describe(string? problem) => _status = _status with
    {
        Machines = [.. _members.Where(static member => !member.Gone.IsCompleted).Select(static member => member.Describe())],
        Problem = problem,
        Claims = _claims,
    };

    private async Task AnswerAsync(SocketListener listener)
    {
        while (true)
        {
            SafeFileDescriptor socket = await listener.AcceptAsync(_stopping.Token);
            var connection = new LineConnection(new DescriptorStream(socket));
            _ = AnswerAsync(connection).LoggedAsync(log); // ends with the connection
        }
    }

    private async Task AnswerAsync(LineConnection connection)
    {
        await using (connection)
        {
            switch (await connection.ReadLineAsync(null, _stopping.Token))
            {
                case FactoryEndpoint.Status:
                    FactoryStatus status = _status with { Misses = Interlocked.Read(ref _misses) };
                    await connection.WriteLineAsync(
                        JsonSerializer.Serialize(status, FactoryJsonContext.Default.FactoryStatus), _stopping.Token);
                    break;
                case WarmPool.Missed:
                    Interlocked.Increment(ref _misses);
                    _look.Release();
                    break;
                case FactoryEndpoint.Stop:
                    Stop();
                    await connection.ReadLineAsync(null, CancellationToken.None); // until it gives up, or we have ended
                    break;
            }
        }
    }

    private static TimeSpan Min(TimeSpan one, TimeSpan other) => one < other ? one : other;
}
