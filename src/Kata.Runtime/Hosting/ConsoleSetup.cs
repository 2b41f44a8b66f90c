using Kata.Linux;
using Kata.Linux.Interop;

namespace Kata.Runtime.Hosting;

/// <summary>
/// The streams a process will have: this command's own three; with a terminal this command's input and output, while the terminal that it
/// was called from is in raw mode (the guest's does the editing) but for what is written to it, as runc has it; a new pseudoterminal whose
/// controlling side goes through the console socket; or the terminal that <c>--console</c> names, whose controlling side somebody else
/// holds.
/// </summary>
internal sealed class ConsoleSetup : IDisposable
{
    private static readonly SafeFileDescriptor[] s_own = [new(0, ownsHandle: false), new(1, ownsHandle: false), new(2, ownsHandle: false)];

    private readonly SafeFileDescriptor? _opened;
    private Termios? _before;

    private ConsoleSetup(
        SafeFileDescriptor? terminal, IReadOnlyList<SafeFileDescriptor> handedOver, SafeFileDescriptor? opened, Termios? before) =>
        (Terminal, HandedOver, _opened, _before) = (terminal, handedOver, opened, before);

    /// <summary>Whose size the process's terminal has, or null when it has none.</summary>
    public SafeFileDescriptor? Terminal { get; }

    /// <summary>
    /// Whether the process's terminal is to leave newlines alone: the output may go to a file, and where
    /// it goes to a terminal, that does the rest.
    /// </summary>
    public bool PlainNewlines { get; private init; }

    /// <summary>
    /// What the service gets: input, output and error; or input and output of a process with a terminal; or the terminal that is both.
    /// </summary>
    public IReadOnlyList<SafeFileDescriptor> HandedOver { get; }

    /// <param name="request">Which terminal.</param>
    /// <param name="foreground">The modes of a terminal that somebody else made are given back when this is disposed.</param>
    /// <exception cref="LinuxException">The console socket or the terminal is not there.</exception>
    /// <exception cref="ArgumentException">A terminal is wanted and what should be one is none.</exception>
    public static ConsoleSetup Open(ConsoleRequest request, bool foreground)
    {
        if (!request.Terminal)
        {
            return new ConsoleSetup(null, s_own, null, null);
        }

        if (request.Path is { } path)
        {
            return OpenNamed(path, foreground);
        }

        if (request.Socket is null)
        {
            return OpenOwn();
        }

        (SafeFileDescriptor controller, SafeFileDescriptor peer) = Linux.Terminal.Open();
        using (controller)
        {
            try
            {
                Linux.Terminal.MakeRaw(peer);
                if (request.Size is { } size)
                {
                    Linux.Terminal.SetSize(peer, size);
                }

                using SafeFileDescriptor socket = Connect(request.Socket);
                // The receiver takes the name only for messages; runc sends the same.
                DescriptorPassing.Send(socket, "/dev/ptmx"u8, [controller]);
                return new ConsoleSetup(peer, [peer], peer, null);
            }
            catch
            {
                peer.Dispose();
                throw;
            }
        }
    }

    /// <summary>The same for a stand-in of its own.</summary>
    public IReadOnlyDictionary<int, SafeFileDescriptor> ForChild() =>
        HandedOver.Index().ToDictionary(static item => item.Index, static item => item.Item);

    /// <summary>Gives this command's terminal its modes back.</summary>
    public void Dispose()
    {
        if (_before is { } before)
        {
            _before = null;
            Linux.Terminal.Restore(Terminal!, before);
        }

        _opened?.Dispose();
    }

    // The one of the three that is a terminal; when all are redirected, the one that this command was called from. runc's order.
    private static ConsoleSetup OpenOwn()
    {
        SafeFileDescriptor? opened = null;
        SafeFileDescriptor? terminal = Array.Find(s_own, Linux.Terminal.IsTerminal);
        if (terminal is null)
        {
            terminal = opened = LibC.open("/dev/tty", LibC.O_RDWR | LibC.O_NOCTTY | LibC.O_CLOEXEC, 0); // ENXIO without one: tty(4)
        }

        try
        {
            return Linux.Terminal.IsTerminal(terminal)
                ? new ConsoleSetup(terminal, [s_own[0], s_own[1]], opened, Linux.Terminal.MakeRaw(terminal, processOutput: true))
                {
                    PlainNewlines = true,
                }
                : throw new ArgumentException(
                    "Cannot give the process a terminal: none of standard input, output and error is one, "
                    + "and this command was not called from one. Set process.terminal to false, or run from a terminal");
        }
        catch
        {
            opened?.Dispose();
            throw;
        }
    }

    private static ConsoleSetup OpenNamed(string path, bool foreground)
    {
        SafeFileDescriptor terminal = LibC.open(path, LibC.O_RDWR | LibC.O_NOCTTY | LibC.O_NONBLOCK | LibC.O_CLOEXEC, 0);
        try
        {
            if (terminal.IsInvalid)
            {
                LinuxException error = LinuxException.FromLastErrno("open", "");
                throw new LinuxException(
                    error.Call,
                    $"use the terminal '{path}'",
                    error.Errno,
                    "Give --console the path of a terminal that exists, such as /dev/pts/0");
            }

            if (!Linux.Terminal.IsTerminal(terminal))
            {
                throw new ArgumentException(
                    $"Cannot use the terminal '{path}': it is none. Give --console the path of a terminal, such as /dev/pts/0");
            }

            Termios before = Linux.Terminal.MakeRaw(terminal);
            return new ConsoleSetup(terminal, [terminal], terminal, foreground ? before : null);
        }
        catch
        {
            terminal.Dispose();
            throw;
        }
    }

    private static SafeFileDescriptor Connect(string consoleSocket)
    {
        try
        {
            return UnixSocket.Connect(consoleSocket);
        }
        catch (LinuxException error) when (LinuxException.RemedyFor(error.Errno) is null)
        {
            throw new LinuxException(
                error.Call, $"hand the terminal over to the console socket '{consoleSocket}'", error.Errno,
                "Start the program that listens there first, or correct --console-socket");
        }
    }
}
