using System.Text.Json.Serialization;

namespace Kata.Sandbox;

/// <summary>OCI's container states (runtime spec, "State"), as <c>state</c> and <c>list</c> print them.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<ContainerStatus>))]
internal enum ContainerStatus
{
    [JsonStringEnumMemberName("creating")]
    Creating,
    [JsonStringEnumMemberName("created")]
    Created,
    [JsonStringEnumMemberName("running")]
    Running,
    [JsonStringEnumMemberName("paused")]
    Paused,
    [JsonStringEnumMemberName("stopped")]
    Stopped,
}

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

    public IReadOnlyList<ContainerState> Containers { get; init; } = [];
}

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

    public IReadOnlyDictionary<string, string> Annotations { get; init; } = new Dictionary<string, string>();
}
