namespace Kata.Sandbox;

/// <summary>What <c>state.json</c> holds of one pod: enough to answer <c>state</c> and <c>list</c> without the service.</summary>
internal sealed record SandboxState
{
    /// <summary>The only version so far. A reader refuses a higher one.</summary>
    public const int CurrentVersion = 1;

    public required int Version { get; init; }

    public required string Id { get; init; }

    /// <summary>Version and commit of the runtime that made the pod.</summary>
    public required string Runtime { get; init; }

    /// <summary>Process that serves the pod.</summary>
    public required ProcessIdentity Service { get; init; }

    public string? Hypervisor { get; init; }

    public string? KernelPath { get; init; }

    public string? ImagePath { get; init; }

    /// <summary>The network namespace that its guest's interfaces are of; null for none.</summary>
    public NamespaceState? Network { get; init; }

    /// <summary>What the pod was given besides its containers.</summary>
    public IReadOnlyList<StorageState> Storages { get; set; } = [];

    // Settable: what a document does not have the generated reader would make null of otherwise.
    public IReadOnlyList<ContainerState> Containers { get; set; } = [];
}
