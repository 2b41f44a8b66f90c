using Kata.Linux.Interop;

namespace Kata.Linux;

/// <summary>Bytes with descriptors over a unix stream socket (SCM_RIGHTS, unix(7)).</summary>
internal static class DescriptorPassing
{
    /// <summary>The kernel's own limit is 253 (SCM_MAX_FD); nothing of ours sends more than this.</summary>
    public const int MaxDescriptors = 16;

    private const int ControlHeaderSize = 16; // struct cmsghdr on 64-bit Linux

    /// <summary>
    /// Sends <paramref name="data"/> (at least one byte) and <paramref name="descriptors"/> as one
    /// message; the caller keeps the descriptors.
    /// </summary>
    /// <returns>How many bytes went out; the descriptors went with the first.</returns>
    public static unsafe int Send(SafeFileDescriptor socket, ReadOnlySpan<byte> data, ReadOnlySpan<SafeFileDescriptor> descriptors)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(descriptors.Length, MaxDescriptors);
        ArgumentOutOfRangeException.ThrowIfZero(data.Length);
        byte* control = stackalloc byte[ControlHeaderSize + (MaxDescriptors * sizeof(int))];
        int controlLength = ControlHeaderSize + (descriptors.Length * sizeof(int));
        *(nuint*)control = (nuint)controlLength;
        ((int*)control)[2] = LibC.SOL_SOCKET;
        ((int*)control)[3] = LibC.SCM_RIGHTS;
        for (int i = 0; i < descriptors.Length; i++)
        {
            ((int*)(control + ControlHeaderSize))[i] = descriptors[i].Number;
        }

        // SAFETY: data is pinned, control lives on this frame, and the lengths are those of the two buffers.
        fixed (byte* first = data)
        {
            var part = new IoVec { iov_base = first, iov_len = (nuint)data.Length };
            var message = new MsgHdr { msg_iov = &part, msg_iovlen = 1 };
            if (descriptors.Length > 0)
            {
                message.msg_control = control;
                message.msg_controllen = (nuint)Align(controlLength);
            }

            while (true)
            {
                nint sent = LibC.sendmsg(socket, &message, LibC.MSG_NOSIGNAL);
                if (sent >= 0)
                {
                    return (int)sent;
                }

                LinuxException error = LinuxException.FromLastErrno("sendmsg", "pass descriptors");
                if (error.Errno != Errno.EINTR)
                {
                    throw error;
                }
            }
        }
    }

    /// <summary>
    /// Receives what is there: up to <paramref name="buffer"/> bytes, and appends the descriptors that came along, CLOEXEC, to
    /// <paramref name="received"/>, which the caller owns whatever happens.
    /// </summary>
    /// <returns>The byte count, 0 at the end of the stream, -1 when nothing is waiting on a non-blocking socket.</returns>
    public static unsafe int Receive(SafeFileDescriptor socket, Span<byte> buffer, List<SafeFileDescriptor> received)
    {
        const int Capacity = ControlHeaderSize + (MaxDescriptors * sizeof(int));
        byte* control = stackalloc byte[Capacity];
        // SAFETY: buffer is pinned, control lives on this frame, and the lengths are those of the two buffers.
        fixed (byte* first = buffer)
        {
            while (true)
            {
                var part = new IoVec { iov_base = first, iov_len = (nuint)buffer.Length };
                var message = new MsgHdr { msg_iov = &part, msg_iovlen = 1, msg_control = control, msg_controllen = Capacity };
                nint count = LibC.recvmsg(socket, &message, LibC.MSG_CMSG_CLOEXEC);
                if (count < 0)
                {
                    LinuxException error = LinuxException.FromLastErrno("recvmsg", "receive descriptors");
                    switch (error.Errno)
                    {
                        case Errno.EINTR:
                            continue;
                        case Errno.EAGAIN:
                            return -1;
                        case Errno.ECONNRESET:
                            return 0;
                        default:
                            throw error;
                    }
                }

                if (message.msg_controllen >= ControlHeaderSize
                    && ((int*)control)[2] == LibC.SOL_SOCKET
                    && ((int*)control)[3] == LibC.SCM_RIGHTS)
                {
                    int descriptors = ((int)*(nuint*)control - ControlHeaderSize) / sizeof(int);
                    for (int i = 0; i < descriptors; i++)
                    {
                        received.Add(new SafeFileDescriptor(((int*)(control + ControlHeaderSize))[i]));
                    }
                }

                // Some were lost: more came than any of ours sends, or, far more likely, we may open no more.
                return (message.msg_flags & LibC.MSG_CTRUNC) == 0 ? (int)count
                    : throw new LinuxException("recvmsg", "receive descriptors", Errno.EMFILE);
            }
        }
    }

    private static int Align(int length) => (length + 7) & ~7;
}
