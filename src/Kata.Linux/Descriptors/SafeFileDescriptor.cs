using System.Runtime.InteropServices;
using Kata.Linux.Interop;
using Microsoft.Win32.SafeHandles;

namespace Kata.Linux;

/// <summary>
/// A kernel file descriptor with one owner. Descriptor 0 is valid. Every descriptor of ours is opened with CLOEXEC;
/// a child gets one only by being listed in <see cref="SpawnOptions.Descriptors"/>.
/// </summary>
internal sealed class SafeFileDescriptor : SafeHandleMinusOneIsInvalid
{
    public SafeFileDescriptor()
        : base(ownsHandle: true)
    {
    }

    /// <summary>Takes ownership of <paramref name="descriptor"/>; with <paramref name="ownsHandle"/> false only borrows it.</summary>
    public SafeFileDescriptor(int descriptor, bool ownsHandle = true)
        : base(ownsHandle) => SetHandle(descriptor);

    /// <summary>The number, for messages and for calls that take it as data. Valid only while this object is.</summary>
    public int Number => (int)handle;

    /// <summary>
    /// libc returns an <c>int</c>: of the register that the marshaller reads, only the lower half is defined, and a -1 made by
    /// <c>mov eax, -1</c> arrives as 0xFFFFFFFF.
    /// </summary>
    public override bool IsInvalid => (int)handle == -1;

    /// <summary>A second descriptor for the same open file, CLOEXEC, not below <paramref name="minimum"/>.</summary>
    /// <exception cref="LinuxException">The kernel refused, for example EMFILE.</exception>
    public SafeFileDescriptor Duplicate(int minimum = 0)
    {
        SafeFileDescriptor copy = LibC.fcntl_dupfd(this, LibC.F_DUPFD_CLOEXEC, minimum);
        if (copy.IsInvalid && Marshal.GetLastPInvokeError() == (int)Errno.EINVAL)
        {
            Marshal.SetLastPInvokeError((int)Errno.EMFILE); // fcntl(2): the minimum is beyond RLIMIT_NOFILE, which is the same shortage
        }

        return LinuxException.ThrowIfInvalid(copy, "fcntl(F_DUPFD_CLOEXEC)", "duplicate a descriptor");
    }

    /// <summary>Moves ownership into a <see cref="SafeFileHandle"/>; this object is invalid afterwards.</summary>
    public SafeFileHandle ToFileHandle()
    {
        var result = new SafeFileHandle(handle, ownsHandle: true);
        SetHandleAsInvalid();
        return result;
    }

    /// <summary>Moves ownership into a <see cref="System.Net.Sockets.SafeSocketHandle"/>; this object is invalid afterwards.</summary>
    public System.Net.Sockets.SafeSocketHandle ToSocketHandle()
    {
        var result = new System.Net.Sockets.SafeSocketHandle(handle, ownsHandle: true);
        SetHandleAsInvalid();
        return result;
    }

    protected override bool ReleaseHandle() => LibC.close((int)handle) == 0; // never retried: on Linux the descriptor is gone even on EINTR
}
