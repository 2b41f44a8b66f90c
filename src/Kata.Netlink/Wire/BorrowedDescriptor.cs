using System.Runtime.InteropServices;

namespace Kata.Netlink;

/// <summary>A caller's descriptor as a number in a message.</summary>
internal static class BorrowedDescriptor
{
    /// <exception cref="ObjectDisposedException">It is closed: its number may be another's by now.</exception>
    public static int Number(SafeHandle handle)
    {
        ObjectDisposedException.ThrowIf(handle.IsClosed || handle.IsInvalid, handle);
        return (int)handle.DangerousGetHandle();
    }
}
