using Kata.Linux;
using Kata.Linux.Interop;

namespace Kata.Agent.Boot;

/// <summary>Settings of the guest as a machine: its clock and random numbers.</summary>
internal static class GuestHost
{
    public static void SetClock(long seconds, long microseconds)
    {
        var time = new TimeSpec { tv_sec = seconds, tv_nsec = microseconds * 1000 };
        LinuxException.ThrowIfNegative(LibC.clock_settime(LibC.CLOCK_REALTIME, in time), "clock_settime", $"set the clock to {seconds} s");
    }

    /// <summary>
    /// Mixes the host's randomness into the kernel's and makes it count at once: a cloned guest must not repeat its twin's numbers.
    /// </summary>
    public static unsafe void Reseed(ReadOnlySpan<byte> data)
    {
        const int Header = 8; // struct rand_pool_info, linux/random.h: entropy_count in bits, buf_size in bytes
        using SafeFileDescriptor random = LinuxException.ThrowIfInvalid(
            LibC.open("/dev/urandom", LibC.O_RDWR | LibC.O_CLOEXEC, 0), "open", "open '/dev/urandom'");
        byte[] info = new byte[Header + data.Length];
        BitConverter.TryWriteBytes(info, data.Length * 8);
        BitConverter.TryWriteBytes(info.AsSpan(4), data.Length);
        data.CopyTo(info.AsSpan(Header));
        // SAFETY: the array is pinned for the call; the kernel reads the header and buf_size bytes behind it.
        fixed (byte* first = info)
        {
            LinuxException.ThrowIfNegative(LibC.ioctl(random, LibC.RNDADDENTROPY, first), "ioctl(RNDADDENTROPY)", "add entropy");
        }

        LinuxException.ThrowIfNegative(LibC.ioctl_int(random, LibC.RNDRESEEDCRNG, 0), "ioctl(RNDRESEEDCRNG)", "reseed the random numbers");
    }
}
