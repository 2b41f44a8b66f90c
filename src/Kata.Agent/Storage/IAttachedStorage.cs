namespace Kata.Agent.Storage;

/// <summary>A storage in its place. Its owner makes one call at a time, and one that succeeds is the last.</summary>
internal interface IAttachedStorage
{
    /// <summary>Takes it away at the end of what it was for. What uses it all the same keeps it until it ends.</summary>
    /// <returns>What the kernel would not unmount, or null.</returns>
    string? Detach();
}
