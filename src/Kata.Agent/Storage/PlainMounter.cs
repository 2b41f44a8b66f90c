using Kata.Linux;

namespace Kata.Agent.Storage;

/// <summary>
/// Mounts what takes one call of mount(2) and waits for nothing. The host is trusted: mount points are taken as given, below /run only.
/// </summary>
internal sealed class PlainMounter(MountPoints points, MountHolders holders)
{
    private const string AllowedRoot = "/run/";

    /// <param name="storage">What is mounted, and where.</param>
    /// <param name="source">As mount(2) takes it.</param>
    /// <param name="type">The file system.</param>
    /// <param name="options">As fstab(5) writes them.</param>
    /// <param name="prepare">What is done to the mounted directory, given its path; the mount goes again when it fails.</param>
    public IAttachedStorage Mount(
        Protocol.Storage storage, string source, string type, IEnumerable<string> options, Action<string>? prepare = null)
    {
        string path = PathOf(storage);
        (MountFlags flags, string? data) = MountOptions.Parse(options);
        points.Take(path);
        bool isBind = (flags & MountFlags.MS_BIND) != 0;
        var mounted = new MountedStorage(path, points, isBind ? null : holders);
        bool isMounted = false;
        try
        {
            Mounting.At(source, path, type, flags, data);
            isMounted = true;
            prepare?.Invoke(path);
            return mounted;
        }
        catch (Exception error)
        {
            isMounted |= error is LinuxException { Call: "mount(MS_REMOUNT)" }; // the bind is there, without its flags
            if (!isMounted || mounted.Detach() is not null)
            {
                points.Release(path);
            }

            throw;
        }
    }

    /// <summary>The mount point of a storage that has one below /run.</summary>
    /// <exception cref="Grpc.Core.RpcException">InvalidArgument.</exception>
    public static string PathOf(Protocol.Storage storage)
    {
        string path = storage.MountPoint;
        return path.StartsWith(AllowedRoot, StringComparison.Ordinal) && !path.Split('/').Contains("..")
            ? path
            : throw AgentException.Invalid($"Cannot mount the storage '{storage.Source}' on '{path}': it is not below '{AllowedRoot}'");
    }
}
