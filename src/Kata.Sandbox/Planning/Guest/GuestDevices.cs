using System.Globalization;
using Kata.Linux;
using Kata.Oci;
using Guest = Kata.Agent.Protocol.Oci;

namespace Kata.Sandbox;

/// <summary>Which of a specification's device nodes a guest can have: what every Linux kernel has under the same numbers.</summary>
internal static class GuestDevices
{
    /// <summary>Made for every container by the guest's runtime; mem(4), random(4), tty(4).</summary>
    private static readonly HashSet<string> s_commonPaths = new(StringComparer.Ordinal)
    {
        "/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty", "/dev/console", "/dev/ptmx",
    };

    /// <summary>
    /// Character devices by their fixed numbers, Documentation/admin-guide/devices.txt: memory, terminals, tun and fuse, which make things
    /// of their own in whichever kernel opens them.
    /// </summary>
    private static readonly HashSet<(long Major, long Minor)> s_commonNumbers =
        [(1, 3), (1, 5), (1, 7), (1, 8), (1, 9), (1, 11), (5, 0), (5, 2), (10, 200), (10, 229)];

    /// <summary>
    /// The nodes for the guest. A device of the host is refused, unless the container may use every device: then the engine only
    /// listed all that the host has (<c>--privileged</c>), and the container is privileged in its guest.
    /// </summary>
    /// <exception cref="InvalidSpecException">A device of the host is wanted.</exception>
    public static IEnumerable<Guest.LinuxDevice> Plan(LinuxSpec linux, List<string> warnings)
    {
        bool everyDevice = linux.Resources?.Devices?.LastOrDefault(IsForAll) is { Allow: true };
        var result = new List<Guest.LinuxDevice>();
        int left = 0;
        for (int i = 0; i < (linux.Devices?.Count ?? 0); i++)
        {
            LinuxDevice device = linux.Devices![i];
            if (device.Type == "p"
                || (device.Type is "c" or "u"
                    && device is { Major: { } major, Minor: { } minor } && s_commonNumbers.Contains((major, minor))))
            {
                if (!s_commonPaths.Contains(device.Path))
                {
                    result.Add(ToGuest(device));
                }
            }
            else if (everyDevice)
            {
                left++;
            }
            else if (!s_commonPaths.Contains(device.Path))
            {
                throw new InvalidSpecException(
                    string.Create(CultureInfo.InvariantCulture, $"/linux/devices/{i}/path"),
                    $"'{device.Path}' is a device of the host, which the guest does not have",
                    "Remove it: passing host devices into the VM is not supported yet");
            }
        }

        if (left > 0)
        {
            warnings.Add(string.Create(
                CultureInfo.InvariantCulture, $"{left} devices of the host are left out: the container is privileged in its guest only"));
        }

        return result;
    }

    private static bool IsForAll(LinuxDeviceCgroup rule) => rule is { Type: null or "" or "a", Major: null or < 0, Minor: null or < 0 };

    private static Guest.LinuxDevice ToGuest(LinuxDevice device) => new()
    {
        Path = device.Path,
        Type = device.Type,
        Major = device.Major ?? 0,
        Minor = device.Minor ?? 0,
        FileMode = device.FileMode ?? FileModes.Open, // as without a word of it
        UID = device.Uid ?? 0,
        GID = device.Gid ?? 0,
    };
}
