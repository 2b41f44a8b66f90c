using Kata.Linux;
using Kata.Linux.Interop;

namespace Kata.Network;

/// <summary>The host kernel's virtio network back end.</summary>
internal static class VhostNet
{
    private const string Device = "/dev/vhost-net";

    /// <summary>Whether the host has it.</summary>
    public static bool IsThere => File.Exists(Device);

    /// <summary>Opens it for one queue.</summary>
    /// <exception cref="LinuxException">ENOENT, EACCES: it is not there, or not ours to use.</exception>
    public static SafeFileDescriptor Open() => LinuxException.ThrowIfInvalid(
        LibC.open(Device, LibC.O_RDWR | LibC.O_CLOEXEC, 0), "open", $"open '{Device}'");
}
