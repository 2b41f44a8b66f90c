using System.Globalization;
using System.Text.Json.Serialization;
using Kata.Oci;
using Kata.Sandbox;

namespace Kata.Runtime.Commands;

/// <summary>A container as <c>state</c> and <c>list --format json</c> print it: the OCI state, and what runc adds to it.</summary>
internal sealed record ContainerDocument
{
    public required string OciVersion { get; init; }

    public required string Id { get; init; }

    public required int Pid { get; init; }

    /// <summary>The specification's word, or <c>unknown</c> where what is on disk cannot be read.</summary>
    public required string Status { get; init; }

    public required string Bundle { get; init; }

    public required string Rootfs { get; init; }

    /// <summary>RFC 3339, UTC.</summary>
    public required string Created { get; init; }

    public required IReadOnlyDictionary<string, string> Annotations { get; init; }

    /// <summary>The owner of the bundle's directory.</summary>
    public required string Owner { get; init; }

    /// <summary>Why it ended, when that was not its own doing.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Reason { get; init; }

    /// <summary>What the pod's machine was made of; with <c>--kata-all</c>, where it is known.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public MachineAssets? CurrentHypervisor { get; init; }

    /// <summary>What the configuration says that a new pod's machine is made of.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public MachineAssets? LatestHypervisor { get; init; }

    /// <summary>Which of <c>hypervisor</c>, <c>kernel</c> and <c>image</c> are different files. The spelling is Kata's.</summary>
    [JsonPropertyName("StaleAssets")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<string>? StaleAssets { get; init; }

    public static ContainerDocument Of(ContainerState state) => new()
    {
        OciVersion = state.OciVersion,
        Id = state.Id,
        Pid = state.Pid,
        Status = state.Status.ToString().ToLowerInvariant(),
        Bundle = state.Bundle,
        Rootfs = state.RootFs,
        Created = Text(state.Created),
        Annotations = state.Annotations,
        Owner = "root",
        Reason = state.Reason,
    };

    public ContainerDocument WithAssets(MachineAssets? current, MachineAssets latest) =>
        this with { CurrentHypervisor = current, LatestHypervisor = latest, StaleAssets = current?.DifferencesFrom(latest) };

    /// <summary>A container of which only the id is certain, and when that was taken.</summary>
    public static ContainerDocument Unknown(ContainerId id, DateTimeOffset claimed, string reason) => new()
    {
        OciVersion = "",
        Id = id.Value,
        Pid = 0,
        Status = "unknown",
        Bundle = "",
        Rootfs = "",
        Created = Text(claimed),
        Annotations = new Dictionary<string, string>(),
        Owner = "",
        Reason = reason,
    };

    private static string Text(DateTimeOffset time) =>
        time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fffffff'Z'", CultureInfo.InvariantCulture);
}
