using System.Text.Json.Serialization;
using Kata.Oci;

namespace Kata.Sandbox;

/// <summary>What <c>state.json</c> holds of one container.</summary>
internal sealed record ContainerState
{
    public required string Id { get; init; }

    public required string OciVersion { get; init; }

    public required string Bundle { get; init; }

    public required string RootFs { get; init; }

    public required ContainerStatus Status { get; init; }

    /// <summary>The host process that stands for the container, 0 when it has ended.</summary>
    public int Pid { get; init; }

    public required DateTimeOffset Created { get; init; }

    public uint? ExitStatus { get; init; }

    /// <summary>Why the container ended when it was not its own doing, for example that its VM died.</summary>
    public string? Reason { get; init; }

    // Settable, as the next with a value of its own: what a document does not have the generated reader would make null of otherwise.
    public IReadOnlyDictionary<string, string> Annotations { get; set; } = new Dictionary<string, string>();

    /// <summary>What the hooks of its start may take; null when one of them has no limit.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public long? StartHookSeconds { get; set; } = 0;

    /// <summary>The host's socket that gets the container's notifications, or null.</summary>
    public string? NotifyPath { get; init; }

    /// <summary>The hooks that whoever deletes the container without its service must run.</summary>
    public IReadOnlyList<HookSpec>? Poststop { get; init; }
}
