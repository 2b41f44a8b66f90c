namespace Kata.Linux;

/// <summary>One call of mount(2), not made yet.</summary>
/// <param name="Type">The file system; <c>bind</c> or empty with the option <c>bind</c> or <c>rbind</c>.</param>
/// <param name="Source">A host path, or a name the type gives a meaning to.</param>
/// <param name="Target">Below the place that the mounts are made at; empty for the place itself.</param>
/// <param name="Options">As fstab(5) writes them.</param>
internal sealed record FileSystemMount(string Type, string Source, string Target, IReadOnlyList<string> Options);
