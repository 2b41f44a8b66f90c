using Grpc.Core;
using Kata.Agent.Protocol;
using Kata.Agent.Protocol.Extension;
using Kata.Linux;
using Kata.Oci;
using ExtensionProcess = Kata.Agent.Protocol.Extension.GuestProcess;

namespace Kata.Sandbox;

/// <summary>What a container uses, may use, and consists of.</summary>
internal sealed class ContainerResources(Container container, PodSandbox pod)
{
    /// <summary>What is put before the counters of memory.events in the statistics' map; stock agents do not send them.</summary>
    public const string EventPrefix = "events.";

    // Written in the container's turn.
    private volatile LinuxResources _current = container.Plan.Bundle.Spec.Linux?.Resources ?? new LinuxResources();

    /// <summary>The limits in force.</summary>
    public LinuxResources Current => _current;

    /// <summary>The figures of its cgroup in the guest, as the agent sends them: untrusted text in the names.</summary>
    /// <exception cref="SandboxStateException">It has ended.</exception>
    public Task<StatsContainerResponse> StatsAsync(CancellationToken cancellationToken) => container.Status == ContainerStatus.Stopped
        ? throw SandboxStateException.NotRunning("read the figures of the container", container.Plan.Id.Value)
        : ReadAsync(cancellationToken);

    /// <summary>Its processes, in the order of their numbers; none when it has ended. The texts in them are untrusted.</summary>
    public async Task<IReadOnlyList<ExtensionProcess>> ListProcessesAsync(CancellationToken cancellationToken)
    {
        if (container.Status == ContainerStatus.Stopped)
        {
            return [];
        }

        string action = $"list the processes of the container '{container.Plan.Id}'";
        AgentExtension.AgentExtensionClient extension = pod.Agent.Extension
            ?? throw new AgentException(action, StatusCode.Unimplemented, "the guest's agent cannot. Use the guest image of this release");
        ListProcessesResponse response = await AgentConnection.CallAsync(
            action, extension.ListProcessesAsync(
                new ListProcessesRequest { ContainerId = container.Plan.Id.Value }, pod.Agent.Timed(cancellationToken)));
        return response.Processes;
    }

    /// <summary>Changes the limits that the document names; the others stay.</summary>
    /// <exception cref="InvalidSpecException">A limit cannot be applied in a VM, or in one of this size. Nothing was changed.</exception>
    /// <exception cref="SandboxStateException">It has ended.</exception>
    public async Task UpdateAsync(LinuxResources change, CancellationToken cancellationToken)
    {
        string action = $"update the container '{container.Plan.Id}'";
        using Container.Entered entered = await container.EnterAsync(cancellationToken);
        if (container.Status is not (ContainerStatus.Created or ContainerStatus.Running or ContainerStatus.Paused))
        {
            throw SandboxStateException.NotRunning("update the container", container.Plan.Id.Value);
        }

        ResourceUpdate update = ResourceUpdate.Plan(
            _current, change, new MachineSize(pod.Plan.Machine.VcpuCount, (long)pod.Plan.Machine.MemoryMib << 20));
        if (change.Memory is { Limit: > 0 and var limit } memory)
        {
            // The kernel's version 2 would kill; its version 1, and so runc there, refuses. Engines that look first look at the host's
            // groups, which know nothing of a single container.
            ResourceUpdate.CheckUsage(
                limit, UsageOf((await ReadAsync(cancellationToken)).CgroupStats?.MemoryStats, memory.CheckBeforeUpdate ?? false));
        }

        foreach (string warning in update.Warnings)
        {
            pod.Log.ContainerWarning(container.Plan.Id, warning);
        }

        LinuxResources before = _current;
        _current = update.Effective;
        try
        {
            pod.LimitOnHost();
            await UpdateInGuestAsync(action, update, cancellationToken);
        }
        catch
        {
            _current = before;
            RestoreOnHost();
            throw;
        }

        pod.Log.Updated(container.Plan.Id);
    }

    // What a lower limit would take away: all there is when the document asks for that check, else what the kernel cannot take back.
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
            pod.LimitOnHost();
        }
        catch (LinuxException error)
        {
            pod.Log.ContainerWarning(
                container.Plan.Id, $"the host does not take back the limits from before an update that failed: {error.Message}");
        }
    }

    // One call, which the agent carries out as a whole or not at all.
    private async Task UpdateInGuestAsync(string action, ResourceUpdate update, CancellationToken cancellationToken)
    {
        if (update.CgroupFiles.Count > 0)
        {
            if (pod.Agent is not { Extension: { } extension, SupportsWholeUpdate: true })
            {
                throw new AgentException(
                    action, StatusCode.Unimplemented, "the guest's agent cannot set these limits. Use the guest image of this release");
            }

            var request = new WriteCgroupRequest { ContainerId = container.Plan.Id.Value, Resources = update.Guest };
            foreach ((string file, string value) in update.CgroupFiles)
            {
                request.Values[file] = value;
            }

            await AgentConnection.CallAsync(action, extension.WriteCgroupAsync(request, pod.Agent.Timed(cancellationToken)));
        }
        else if (update.Guest is { } guest)
        {
            await container.CallAsync(
                "update the container",
                pod.Agent.Agent.UpdateContainerAsync(
                    new UpdateContainerRequest { ContainerId = container.Plan.Id.Value, Resources = guest },
                    pod.Agent.Timed(cancellationToken)));
        }
    }

    /// <summary>The same whatever has become of the container.</summary>
    internal Task<StatsContainerResponse> ReadAsync(CancellationToken cancellationToken) => AgentConnection.CallAsync(
        $"read the figures of the container '{container.Plan.Id}'",
        pod.Agent.Agent.StatsContainerAsync(
            new StatsContainerRequest { ContainerId = container.Plan.Id.Value }, pod.Agent.Timed(cancellationToken)));
}
