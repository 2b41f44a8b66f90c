using Kata.Linux.Interop;

namespace Kata.Linux;

/// <summary>Pseudoterminals and terminal modes (pty(7), termios(3)).</summary>
internal static class Terminal
{
    private const uint OutputProcessing = 0x1; // OPOST

    /// <summary>
    /// Opens a new pseudoterminal of <paramref name="multiplexer"/>, both ends CLOEXEC, no controlling terminal. The caller owns both.
    /// </summary>
    public static (SafeFileDescriptor Controller, SafeFileDescriptor Terminal) Open(string multiplexer = "/dev/ptmx")
    {
        SafeFileDescriptor controller = LinuxException.ThrowIfInvalid(
            LibC.open(multiplexer, LibC.O_RDWR | LibC.O_NOCTTY | LibC.O_CLOEXEC, 0), "open", $"open a pseudoterminal at '{multiplexer}'");
        try
        {
            Unlock(controller);
            // By descriptor, not by name (/dev/pts may be another instance here): TIOCGPTPEER, Linux 4.13.
            SafeFileDescriptor peer = LinuxException.ThrowIfInvalid(
                LibC.ioctl_descriptor(controller, LibC.TIOCGPTPEER, LibC.O_RDWR | LibC.O_NOCTTY | LibC.O_CLOEXEC),
                "ioctl(TIOCGPTPEER)",
                "open a pseudoterminal's other side");
            return (controller, peer);
        }
        catch
        {
            controller.Dispose();
            throw;
        }
    }

    public static unsafe bool IsTerminal(SafeFileDescriptor descriptor)
    {
        Termios modes;
        // SAFETY: TCGETS fills one struct termios.
        return LibC.ioctl(descriptor, LibC.TCGETS, &modes) == 0;
    }

    /// <summary>The size, or null when this is not a terminal.</summary>
    public static unsafe TerminalSize? GetSize(SafeFileDescriptor terminal)
    {
        WinSize size;
        // SAFETY: TIOCGWINSZ fills one struct winsize.
        return LibC.ioctl(terminal, LibC.TIOCGWINSZ, &size) == 0 ? new TerminalSize(size.ws_row, size.ws_col) : null;
    }

    public static unsafe void SetSize(SafeFileDescriptor terminal, TerminalSize size)
    {
        var value = new WinSize { ws_row = size.Rows, ws_col = size.Columns };
        // SAFETY: TIOCSWINSZ reads one struct winsize.
        LinuxException.ThrowIfNegative(LibC.ioctl(terminal, LibC.TIOCSWINSZ, &value), "ioctl(TIOCSWINSZ)", "resize a terminal");
    }

    /// <summary>Switches to raw mode (cfmakeraw(3)) and returns the modes before, for <see cref="Restore"/>.</summary>
    /// <param name="terminal">Either side of it.</param>
    /// <param name="processOutput">
    /// Whether what is written is still treated as it was, a newline most of all: runc's way with its caller's terminal.
    /// </param>
    public static Termios MakeRaw(SafeFileDescriptor terminal, bool processOutput = false)
    {
        Termios before = GetModes(terminal);
        Termios raw = before;
        raw.c_iflag &= ~0x5EBu; // IGNBRK BRKINT PARMRK ISTRIP INLCR IGNCR ICRNL IXON
        raw.c_oflag = processOutput ? raw.c_oflag | OutputProcessing : raw.c_oflag & ~OutputProcessing;
        raw.c_lflag &= ~0x804Bu; // ECHO ECHONL ICANON ISIG IEXTEN
        raw.c_cflag = (raw.c_cflag & ~0x130u) | 0x30u; // CSIZE PARENB; CS8
        SetMinimum(ref raw);
        Restore(terminal, raw);
        return before;
    }

    /// <summary>Has a newline that is written to the terminal stay alone: no carriage return is put before it (ONLCR).</summary>
    public static void LeaveNewlines(SafeFileDescriptor terminal)
    {
        Termios modes = GetModes(terminal);
        modes.c_oflag &= ~0x4u; // ONLCR
        Restore(terminal, modes);
    }

    // SAFETY: TCSETS reads one struct termios, a local.
    public static unsafe void Restore(SafeFileDescriptor terminal, Termios modes) =>
        LinuxException.ThrowIfNegative(LibC.ioctl(terminal, LibC.TCSETS, &modes), "ioctl(TCSETS)", "set terminal modes");

    private static unsafe Termios GetModes(SafeFileDescriptor terminal)
    {
        Termios modes;
        // SAFETY: TCGETS fills one struct termios.
        LinuxException.ThrowIfNegative(LibC.ioctl(terminal, LibC.TCGETS, &modes), "ioctl(TCGETS)", "read terminal modes");
        return modes;
    }

    // SAFETY: both places are inside the fixed array.
    private static unsafe void SetMinimum(ref Termios modes)
    {
        modes.c_cc[6] = 1; // VMIN
        modes.c_cc[5] = 0; // VTIME
    }

    private static unsafe void Unlock(SafeFileDescriptor controller)
    {
        int unlocked = 0;
        // SAFETY: TIOCSPTLCK reads one int.
        LinuxException.ThrowIfNegative(LibC.ioctl(controller, LibC.TIOCSPTLCK, &unlocked), "ioctl(TIOCSPTLCK)", "unlock a pseudoterminal");
    }
}
