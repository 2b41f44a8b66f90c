namespace Kata.Sandbox;

/// <summary>What a hook finds around it.</summary>
/// <param name="Directory">Its working directory, where there is such a one.</param>
/// <param name="Variables">Its environment when it names none, not even an empty one; as <c>NAME=value</c>.</param>
internal sealed record HookSurroundings(string Directory, IReadOnlyList<string> Variables);
