using Kata.Hypervisor;
using Kata.Oci;

namespace Kata.Sandbox;

/// <summary>Where things lie inside the guest and inside the shared directory: paths stock Kata agents expect.</summary>
internal static class GuestPaths
{
    /// <summary>The tag of the one shared file system of a pod.</summary>
    public const string ShareTag = "kataShared";

    /// <summary>Its device in the machine.</summary>
    public static readonly DeviceId ShareDevice = new("share");

    /// <summary>Where the agent mounts it.</summary>
    public const string Share = "/run/kata-containers/shared/containers";

    /// <summary>The pod's <c>/dev/shm</c>.</summary>
    public const string SharedMemory = $"{Pod}/shm";

    private const string Pod = "/run/kata-containers/sandbox";

    /// <summary>A file of the pod that its containers share.</summary>
    public static string PodFile(string name) => $"{Pod}/files/{name}";

    /// <summary>The directory of a container's <see cref="NotifySocket"/>.</summary>
    public static string Notify(ContainerId container) => $"/run/kata-containers/notify/{container}";

    /// <summary>
    /// Where the root file system of a container is mounted when the share does not have it: where nothing of the agent's own is that it
    /// removes with all that is below it.
    /// </summary>
    public static string Root(ContainerId container) => $"/run/kata-containers/roots/{container}";

    /// <summary>A path of the share as the guest sees it.</summary>
    public static string InGuest(string relative) => $"{Share}/{relative}";
}
