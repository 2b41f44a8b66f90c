using System.Globalization;
using System.Text.Json.Serialization;
using Kata.Sandbox;

namespace Kata.Runtime.Commands;

/// <summary>A container as <c>state</c> and <c>list --format json</c> print it: the OCI state, and what runc adds to it.</summary>
internal sealed record ContainerDocument
{
    public required string OciVersion { get; init; }

    public required string Id { get; init; }

    public required int Pid { get; init; }

    public required ContainerStatus Status { get; init; }

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

    public static ContainerDocument Of(ContainerState state) => new()
    {
        OciVersion = state.OciVersion,
        Id = state.Id,
        Pid = state.Pid,
        Status = state.Status,
        Bundle = state.Bundle,
        Rootfs = state.RootFs,
        Created = state.Created.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fffffff'Z'", CultureInfo.InvariantCulture),
        Annotations = state.Annotations,
        Owner = "root",
        Reason = state.Reason,
    };
}
