using Kata.Hypervisor;
using Kata.Linux;
using Kata.Oci;
using Microsoft.Extensions.Logging;

namespace Kata.Sandbox;

/// <summary>What a pod lives in: its place on disk, its undo journal, and the ports to the world. Owned by whoever made it.</summary>
internal sealed record SandboxEnvironment
{
    public required SandboxDirectories Directories { get; init; }

    public required AcquisitionJournal Journal { get; init; }

    public required ISandboxStore Store { get; init; }

    public required IHypervisorDriver Hypervisor { get; init; }

    /// <summary>The mount namespace that host paths of bundles are resolved in, or null for our own.</summary>
    public SafeFileDescriptor? CallerMountNamespace { get; init; }

    /// <summary>For whom hooks run.</summary>
    public HookCaller HookCaller { get; init; } = new();

    public required ILogger Log { get; init; }

    public required TimeProvider Time { get; init; }

    /// <summary>
    /// Called, on any thread, when the guest's kernel killed a process of a container for want of memory; before its exit is told.
    /// </summary>
    public Action<ContainerId> OutOfMemory { get; init; } = static _ => { };

    /// <summary>
    /// Called once, when the guest is up, with the threads of its processors, where the plan gives them a control group of their own.
    /// </summary>
    public Action<IReadOnlyList<int>> ProcessorsFound { get; init; } = static _ => { };

    /// <summary>
    /// Called, one caller at a time, with what the host is to allow the pod: a container came, went
    /// or was updated. What it throws fails that.
    /// </summary>
    public Action<CgroupLimits> LimitsChanged { get; init; } = static _ => { };
}
