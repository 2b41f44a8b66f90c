using System.Text.Json.Serialization;

namespace Kata.Runtime.Commands;

/// <summary>One file that a machine is made of, as <c>list --kata-all</c> prints it. The spelling of names is Kata's.</summary>
/// <param name="Path">Where it is; empty when there is none.</param>
/// <param name="IsCustom">Whether an annotation chose it for this pod alone.</param>
internal sealed record MachineAsset(
    [property: JsonPropertyName("path")] string Path,
    [property: JsonPropertyName("bool")] bool IsCustom);
