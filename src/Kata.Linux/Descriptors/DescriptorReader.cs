using Kata.Linux.Interop;

namespace Kata.Linux;

/// <summary>Reads of a regular file or a block device by its descriptor.</summary>
internal static class DescriptorReader
{
    /// <summary>Fills the buffer from a place of the file, as far as there is something.</summary>
    /// <param name="file">Open for reading.</param>
    /// <param name="buffer">What is to be filled.</param>
    /// <param name="offset">Where in the file, in bytes.</param>
    /// <param name="action">What for, for the error.</param>
    /// <returns>How many bytes were there.</returns>
    /// <exception cref="LinuxException">It cannot be read.</exception>
    public static unsafe int ReadAt(SafeFileDescriptor file, Span<byte> buffer, long offset, string action)
    {
        int filled = 0;
        // SAFETY: the span is pinned, and the kernel writes at most what is left of it.
        fixed (byte* first = buffer)
        {
            while (filled < buffer.Length)
            {
                nint count = LibC.pread(file, first + filled, (nuint)(buffer.Length - filled), offset + filled);
                if (count == 0)
                {
                    break;
                }

                if (count > 0)
                {
                    filled += (int)count;
                    continue;
                }

                LinuxException error = LinuxException.FromLastErrno("pread", action);
                if (error.Errno != Errno.EINTR)
                {
                    throw error;
                }
            }
        }

        return filled;
    }
}
