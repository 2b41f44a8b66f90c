namespace Kata.Sandbox;

/// <summary>A storage as <c>state.json</c> keeps it.</summary>
/// <param name="Name">The only one of its pod.</param>
/// <param name="Source">The host's path.</param>
/// <param name="MountPoint">The guest's path, or null for a device.</param>
internal sealed record StorageState(string Name, string Source, string? MountPoint)
{
    /// <summary>Whether a path of the guest lies on the storage.</summary>
    public bool Holds(string path) => MountPoint is { } point && (path == point || path.StartsWith(point + "/", StringComparison.Ordinal));
}
