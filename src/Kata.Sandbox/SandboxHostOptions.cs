using Kata.Hypervisor;
using Kata.Linux;
using Kata.Oci;
using Microsoft.Extensions.Logging;

namespace Kata.Sandbox;

/// <summary>What a <see cref="SandboxHost"/> is made for, and by whom.</summary>
internal sealed record SandboxHostOptions
{
    /// <summary>The state root; absolute.</summary>
    public required string Root { get; init; }

    public required SandboxId Sandbox { get; init; }

    public required HypervisorCatalog Hypervisors { get; init; }

    /// <summary>The mount namespace that host paths of bundles are resolved in, or null for our own; borrowed.</summary>
    public SafeFileDescriptor? CallerMountNamespace { get; init; }

    /// <summary>For whom hooks run.</summary>
    public HookCaller HookCaller { get; init; } = new();

    public required ILogger Log { get; init; }

    /// <summary>What a pod's machine is made of: <see cref="MachineKey"/>.</summary>
    public Func<SandboxPlan, string> KeyOf { get; init; } = static _ => "";

    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>
    /// Called, on any thread, when the guest's kernel killed a process of a container for want of memory; before its exit is told.
    /// </summary>
    public Action<ContainerId> OutOfMemory { get; init; } = static _ => { };
}
