using Kata.Linux.Interop;

namespace Kata.Linux;

/// <summary>One write(2), for records that must go out whole or be known not to.</summary>
internal static class DescriptorWriter
{
    /// <summary>Writes once and returns how many bytes the kernel took.</summary>
    /// <exception cref="LinuxException">It took none.</exception>
    public static unsafe int Write(SafeFileDescriptor descriptor, ReadOnlySpan<byte> data, string action)
    {
        // SAFETY: data is pinned for the call and the kernel reads at most its length.
        fixed (byte* first = data)
        {
            while (true)
            {
                nint written = LibC.write(descriptor, first, (nuint)data.Length);
                if (written >= 0)
                {
                    return (int)written;
                }

                LinuxException error = LinuxException.FromLastErrno("write", action);
                if (error.Errno != Errno.EINTR)
                {
                    throw error;
                }
            }
        }
    }
}
