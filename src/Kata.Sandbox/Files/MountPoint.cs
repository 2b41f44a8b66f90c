namespace Kata.Sandbox;

/// <summary>Where a container's root file system must have something to mount on.</summary>
/// <param name="Path">Absolute, in the container.</param>
/// <param name="IsDirectory">Else an empty file.</param>
internal sealed record MountPoint(string Path, bool IsDirectory)
{
    /// <summary>
    /// The mount points of <paramref name="mounts"/> that lie in the root file system itself: those below another mount are that one's.
    /// </summary>
    public static IReadOnlyList<MountPoint> InRootFs(IEnumerable<(string Destination, bool IsDirectory)> mounts)
    {
        var result = new List<MountPoint>();
        foreach ((string destination, bool isDirectory) in mounts)
        {
            string path = "/" + destination.Trim('/');
            if (!result.Exists(above => path.StartsWith(above.Path + "/", StringComparison.Ordinal)))
            {
                result.Add(new MountPoint(path, isDirectory));
            }
        }

        return result;
    }
}
