using Kata.Linux;
using Kata.Linux.Interop;
using Kata.Sandbox;

namespace Kata.Service;

/// <summary>Turns descriptors that a caller handed over into streams, without changing anything about the caller's own.</summary>
internal static class HostStdio
{
    /// <summary>
    /// Three descriptors (input, output, error), for a process with a terminal two (input, output) or the one terminal that is both. Takes
    /// ownership of them; after a failure those that it did not come to are still the caller's.
    /// </summary>
    public static ProcessStdio Open(bool terminal, IReadOnlyList<SafeFileDescriptor> descriptors)
    {
        if (terminal ? descriptors.Count is not (1 or 2) : descriptors.Count != 3)
        {
            throw new InvalidDataException(
                $"a stand-in handed over {descriptors.Count} descriptors instead of {(terminal ? "1 or 2" : "3")}");
        }

        var opened = new List<DescriptorStream?>();
        try
        {
            if (terminal)
            {
                opened.Add(OpenOne(descriptors.Count == 1 ? descriptors[0].Duplicate() : descriptors[0], LibC.O_RDONLY));
                opened.Add(OpenOne(descriptors[^1], LibC.O_WRONLY));
                return new ProcessStdio { Input = opened[0], Output = opened[1] };
            }

            opened.Add(OpenOne(descriptors[0], LibC.O_RDONLY));
            opened.Add(OpenOne(descriptors[1], LibC.O_WRONLY));
            opened.Add(OpenOne(descriptors[2], LibC.O_WRONLY));
            return new ProcessStdio { Input = opened[0], Output = opened[1], Error = opened[2] };
        }
        catch
        {
            // Each is open a second time by now: what a reader waits for is the end of ours too.
            opened.ForEach(static stream => stream?.Dispose());
            throw;
        }
    }

    private static DescriptorStream? OpenOne(SafeFileDescriptor descriptor, int access)
    {
        // O_NONBLOCK is a property of the open file, which the caller's shell may share: pipes, fifos and terminals are opened
        // anew, so that the flag is ours alone. A socket cannot be opened again and does without. A regular file keeps the
        // caller's own open file, with its offset and its O_APPEND.
        using (descriptor)
        {
            if (File.ResolveLinkTarget($"/proc/self/fd/{descriptor.Number}", returnFinalTarget: false)?.FullName == "/dev/null")
            {
                return null;
            }

            FileStatus status = FileStatus.Of(descriptor);
            if (status.IsRegularFile)
            {
                return DescriptorStream.OverRegularFile(descriptor.Duplicate());
            }

            if (status.IsSocket)
            {
                return DescriptorStream.OverSharedSocket(descriptor.Duplicate());
            }

            SafeFileDescriptor own;
            try
            {
                own = DescriptorStream.Reopen(descriptor, access | LibC.O_NONBLOCK);
            }
            catch (LinuxException error) when (error.Errno is Errno.ENXIO or Errno.EACCES or Errno.ENOENT)
            {
                own = descriptor.Duplicate();
            }

            try
            {
                return new DescriptorStream(own);
            }
            catch (LinuxException error) when (error.Errno == Errno.EPERM)
            {
                // epoll_ctl(2): a device without poll, such as /dev/null under another name or /dev/zero. It is always ready.
                return DescriptorStream.OverRegularFile(own);
            }
            catch
            {
                own.Dispose();
                throw;
            }
        }
    }
}
