using Kata.Oci;

namespace Kata.Sandbox;

/// <summary>
/// Where a container says that it is ready, sd_notify(3). Sockets do not cross kernels: the container has one of the guest's, and what
/// comes there is sent to one of the host's.
/// </summary>
/// <param name="Path">In the container; alone in its directory, which is a mount.</param>
/// <param name="HostPath">The receiver on the host.</param>
internal sealed record NotifySocket(string Path, string HostPath)
{
    /// <summary>The variable that tells programs of it.</summary>
    public const string Variable = "NOTIFY_SOCKET";

    /// <summary>Where runc puts it.</summary>
    private const string DefaultPath = "/run/notify/notify.sock";

    public string Directory => System.IO.Path.GetDirectoryName(Path)!;

    /// <summary>For a caller that has such a socket itself.</summary>
    public static NotifySocket Default(string hostPath) => new(DefaultPath, hostPath);

    /// <summary>The one that an engine has mounted itself, as podman does for conmon's; null when it has not.</summary>
    public static NotifySocket? Of(Bundle bundle, IHostFiles files)
    {
        const string Prefix = $"{Variable}=";
        string? path = bundle.Spec.Process?.Env?.LastOrDefault(
            static item => item.StartsWith(Prefix, StringComparison.Ordinal))?[Prefix.Length..];
        string? directory = System.IO.Path.GetDirectoryName(path);
        if (directory is null or "" or "/"
            || bundle.Spec.Mounts?.LastOrDefault(mount => mount.Destination.TrimEnd('/') == directory)
                is not { Source: { Length: > 0 } source } mount
            || !ContainerPlanner.IsBind(mount))
        {
            return null;
        }

        string host = System.IO.Path.Combine(System.IO.Path.GetFullPath(source, bundle.Directory), System.IO.Path.GetFileName(path)!);
        return files.KindOf(host) == HostFileKind.Special ? new NotifySocket(path!, host) : null;
    }

    /// <summary>As the container's process is told.</summary>
    public string ToVariable() => $"{Variable}={Path}";

    /// <summary>The socket of the guest.</summary>
    public string InGuest(ContainerId container) => System.IO.Path.Combine(GuestPaths.Notify(container), System.IO.Path.GetFileName(Path));
}
