using System.Runtime.InteropServices;

namespace Kata.Linux.Interop;

internal static partial class LibC
{
    internal const ulong TCGETS = 0x5401;
    internal const ulong TCSETS = 0x5402;
    internal const ulong TIOCSCTTY = 0x540E;
    internal const ulong TIOCGWINSZ = 0x5413;
    internal const ulong TIOCSWINSZ = 0x5414;
    internal const ulong TIOCGPTN = 0x80045430;
    internal const ulong TIOCSPTLCK = 0x40045431;
    internal const ulong TIOCGPTPEER = 0x5441;

    [LibraryImport("libc", SetLastError = true)]
    internal static unsafe partial int ioctl(SafeFileDescriptor fd, ulong request, void* argument);

    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    internal static partial int ioctl_int(SafeFileDescriptor fd, ulong request, nint argument);

    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    internal static partial SafeFileDescriptor ioctl_descriptor(SafeFileDescriptor fd, ulong request, nint argument);
}

/// <summary><c>struct winsize</c>, asm-generic/termios.h; 8 bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct WinSize
{
    public ushort ws_row;
    public ushort ws_col;
    public ushort ws_xpixel;
    public ushort ws_ypixel;
}

/// <summary><c>struct termios</c> of the kernel, asm-generic/termbits.h; 36 bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct Termios
{
    public uint c_iflag;
    public uint c_oflag;
    public uint c_cflag;
    public uint c_lflag;
    public byte c_line;
    public fixed byte c_cc[19];
}
