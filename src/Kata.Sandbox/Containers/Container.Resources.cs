using Grpc.Core;
using Kata.Agent.Protocol;
using Kata.Agent.Protocol.Extension;
using Kata.Linux;
using Kata.Oci;
using ExtensionProcess = Kata.Agent.Protocol.Extension.GuestProcess;

namespace Kata.Sandbox;

/// <summary>What a container uses, may use, and consists of.</summary>
internal sealed partial class Container
{
    /// <summary>What is put before the counters of memory.events in the statistics' map; stock agents do not send them.</summary>
    public const string EventPrefix = "events.";

    /// <summary>The agent answers within milliseconds or is in trouble; an exit is not held up for long by that.</summary>
    private static readonly TimeSpan s_oomCheckTimeout = TimeSpan.FromSeconds(2);

    private readonly SemaphoreSlim _oomTurn = new(1, 1);
    private volatile LinuxResources _resources; // written under _gate: the specification's, with every update since
    private ulong _oomKills; // guarded by _oomTurn

    /// <summary>The limits in force.</summary>
    internal LinuxResources Resources => _resources;

    /// <summary>The figures of its cgroup in the guest, as the agent sends them: untrusted text in the names.</summary>
    /// <exception cref="SandboxStateException">It has ended.</exception>
    public Task<StatsContainerResponse> StatsAsync(CancellationToken cancellationToken) => Status == ContainerStatus.Stopped
        ? throw SandboxStateException.NotRunning("read the figures of the container", Plan.Id.Value)
        : ReadStatsAsync(cancellationToken);

    /// <summary>Its processes, in the order of their numbers; none when it has ended. The texts in them are untrusted.</summary>
    public async Task<IReadOnlyList<ExtensionProcess>> ListProcessesAsync(CancellationToken cancellationToken)
    {
        if (Status == ContainerStatus.Stopped)
        {
            return [];
        }

        string action = $"list the processes of the container '{Plan.Id}'";
        AgentExtension.AgentExtensionClient extension = _pod.Agent.Extension
            ?? throw new AgentException(action, StatusCode.Unimplemented, "the guest's agent cannot. Use the guest image of this release");
        ListProcessesResponse response = await AgentConnection.CallAsync(
            action, extension.ListProcessesAsync(new ListProcessesRequest { ContainerId = Plan.Id.Value }, _pod.Agent.Timed(cancellationToken)));
        return response.Processes;
    }

    /// <summary>Changes the limits that the document names; the others stay.</summary>
    /// <exception cref="InvalidSpecException">A limit cannot be applied in a VM, or in one of this size. Nothing was changed.</exception>
    /// <exception cref="SandboxStateException">It has ended.</exception>
    public async Task UpdateAsync(LinuxResources change, CancellationToken cancellationToken)
    {
        string action = $"update the container '{Plan.Id}'";
        using Entered entered = await EnterAsync(cancellationToken);
        if (Status is not (ContainerStatus.Created or ContainerStatus.Running or ContainerStatus.Paused))
        {
            throw SandboxStateException.NotRunning("update the container", Plan.Id.Value);
        }

        ResourceUpdate update = ResourceUpdate.Plan(
            _resources, change, new MachineSize(_pod.Plan.Machine.VcpuCount, (long)_pod.Plan.Machine.MemoryMib << 20));
        if (change.Memory is { Limit: > 0 and var limit } memory)
        {
            // The kernel's version 2 would kill; its version 1, and so runc there, refuses. Engines that look first look at the host's groups,
            // which know nothing of a single container.
            ResourceUpdate.CheckUsage(limit, UsageOf((await ReadStatsAsync(cancellationToken)).CgroupStats?.MemoryStats, memory.CheckBeforeUpdate ?? false));
        }

        foreach (string warning in update.Warnings)
        {
            _pod.Log.ContainerWarning(Plan.Id, warning);
        }

        LinuxResources before = _resources;
        _resources = update.Effective;
        try
        {
            _pod.LimitOnHost();
            await UpdateInGuestAsync(action, update, cancellationToken);
        }
        catch
        {
            _resources = before;
            RestoreOnHost();
            throw;
        }

        _pod.Log.Updated(Plan.Id);
    }

    // What a lower limit would take away: all there is when the document asks for that check, else what the kernel cannot take back by itself.
    private static ulong UsageOf(MemoryStats? stats, bool all)
    {
        ulong usage = stats?.Usage?.Usage ?? 0, cache = all ? 0 : Of("inactive_file") + Of("active_file");
        return usage - Math.Min(usage, cache);

        ulong Of(string name) => stats?.Stats.TryGetValue(name, out ulong bytes) == true ? bytes : 0;
    }

    private void RestoreOnHost()
    {
        try
        {
            _pod.LimitOnHost();
        }
        catch (LinuxException error)
        {
            _pod.Log.ContainerWarning(Plan.Id, $"the host does not take back the limits from before an update that failed: {error.Message}");
        }
    }

    // One call, which the agent carries out as a whole or not at all.
    private async Task UpdateInGuestAsync(string action, ResourceUpdate update, CancellationToken cancellationToken)
    {
        if (update.CgroupFiles.Count > 0)
        {
            if (_pod.Agent is not { Extension: { } extension, SupportsWholeUpdate: true })
            {
                throw new AgentException(action, StatusCode.Unimplemented, "the guest's agent cannot set these limits. Use the guest image of this release");
            }

            var request = new WriteCgroupRequest { ContainerId = Plan.Id.Value, Resources = update.Guest };
            foreach ((string file, string value) in update.CgroupFiles)
            {
                request.Values[file] = value;
            }

            await AgentConnection.CallAsync(action, extension.WriteCgroupAsync(request, _pod.Agent.Timed(cancellationToken)));
        }
        else if (update.Guest is { } guest)
        {
            await CallAsync(
                "update the container",
                _pod.Agent.Agent.UpdateContainerAsync(
                    new UpdateContainerRequest { ContainerId = Plan.Id.Value, Resources = guest }, _pod.Agent.Timed(cancellationToken)));
        }
    }

    /// <summary>Tells, once for each time, that the guest's kernel killed a process of the container for want of memory. Never fails.</summary>
    /// <param name="told">The agent said so; else it is asked, because its news may be on their way.</param>
    internal async Task ReportOutOfMemoryAsync(bool told)
    {
        await _oomTurn.WaitAsync();
        try
        {
            ulong? kills = await CountOomKillsAsync();
            if (kills is { } count ? count <= _oomKills : !told)
            {
                return;
            }

            _oomKills = kills ?? _oomKills;
        }
        finally
        {
            _oomTurn.Release();
        }

        _pod.Log.OutOfMemory(Plan.Id);
        MarkOutOfMemory();
        _pod.OutOfMemory(Plan.Id);
    }

    // An empty file 'oom' in the bundle is what podman and CRI-O look for.
    private void MarkOutOfMemory()
    {
        string path = Path.Combine(Plan.Bundle.Directory, "oom");
        try
        {
            File.WriteAllBytes(path, []);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            _pod.Log.OutOfMemoryMarkFailed(Plan.Id, path, FileErrors.CauseOf(error));
        }
    }

    // Null when the agent does not say.
    private async Task<ulong?> CountOomKillsAsync()
    {
        using var limit = new CancellationTokenSource(s_oomCheckTimeout, _pod.Time);
        try
        {
            StatsContainerResponse stats = await ReadStatsAsync(limit.Token);
            return stats.CgroupStats?.MemoryStats?.Stats.TryGetValue(EventPrefix + "oom_kill", out ulong kills) == true ? kills : null;
        }
        catch (AgentException)
        {
            return null;
        }
    }

    private Task<StatsContainerResponse> ReadStatsAsync(CancellationToken cancellationToken) => AgentConnection.CallAsync(
        $"read the figures of the container '{Plan.Id}'",
        _pod.Agent.Agent.StatsContainerAsync(new StatsContainerRequest { ContainerId = Plan.Id.Value }, _pod.Agent.Timed(cancellationToken)));
}
