using System.Net.Sockets;
using Microsoft.Win32.SafeHandles;

namespace Kata.Netlink.Interop;

/// <summary>A netlink descriptor with one owner.</summary>
internal sealed class SafeNetlinkHandle : SafeHandleMinusOneIsInvalid
{
    public SafeNetlinkHandle()
        : base(ownsHandle: true)
    {
    }

    /// <summary>libc returns an <c>int</c>, of which only the lower half of the register is defined.</summary>
    public override bool IsInvalid => (int)handle == -1;

    /// <summary>For the runtime's readiness; borrows, so this object has to live longer.</summary>
    public SafeSocketHandle Borrow() => new((int)handle, ownsHandle: false);

    protected override bool ReleaseHandle() => LibC.close((int)handle) == 0; // never retried: the descriptor is gone even on EINTR
}
