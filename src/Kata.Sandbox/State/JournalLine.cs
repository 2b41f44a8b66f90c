using System.Text.Json.Serialization;

namespace Kata.Sandbox;

/// <summary>One line of the journal.</summary>
internal sealed record JournalLine
{
    /// <summary>An <see cref="Acquisition"/>'s kind.</summary>
    public required string Kind { get; init; }

    public required string Value { get; init; }

    /// <summary>The line takes back an earlier, equal one.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool Released { get; init; }
}
