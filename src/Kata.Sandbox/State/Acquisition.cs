using System.Text.Json.Serialization;

namespace Kata.Sandbox;

/// <summary>One line of the journal.</summary>
internal sealed record Acquisition
{
    public required AcquisitionKind Kind { get; init; }

    /// <summary>The absolute path, or for a process its id and start time in clock ticks.</summary>
    public required string Value { get; init; }

    /// <summary>The line takes back an earlier, equal one.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool Released { get; init; }
}
