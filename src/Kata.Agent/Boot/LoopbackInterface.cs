using Kata.Linux;
using Kata.Linux.Interop;

namespace Kata.Agent.Boot;

/// <summary>Sets <c>lo</c> up; the kernel then adds 127.0.0.1 and ::1 itself.</summary>
internal static class LoopbackInterface
{
    public static unsafe void SetUp()
    {
        using SafeFileDescriptor socket = LinuxException.ThrowIfInvalid(
            LibC.socket(LibC.AF_INET, LibC.SOCK_DGRAM | LibC.SOCK_CLOEXEC, 0), "socket", "open a control socket");
        IfReqFlags request = default;
        "lo"u8.CopyTo(new Span<byte>(request.ifr_name, 16));
        // SAFETY: both requests read and fill one struct ifreq, which lives on this frame.
        LinuxException.ThrowIfNegative(LibC.ioctl(socket, LibC.SIOCGIFFLAGS, &request), "ioctl(SIOCGIFFLAGS)", "read the flags of 'lo'");
        request.ifr_flags |= LibC.IFF_UP;
        LinuxException.ThrowIfNegative(LibC.ioctl(socket, LibC.SIOCSIFFLAGS, &request), "ioctl(SIOCSIFFLAGS)", "set 'lo' up");
    }
}
