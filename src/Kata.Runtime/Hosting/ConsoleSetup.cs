using Kata.Linux;
using Kata.Linux.Interop;

namespace Kata.Runtime.Hosting;

/// <summary>
/// The streams a process will have: this command's own three, this command's own terminal switched to raw mode (the guest's
/// terminal does the editing), a new pseudoterminal whose controlling side goes through the console socket, or the terminal that
/// <c>--console</c> names, whose controlling side somebody else holds.
/// </summary>
internal sealed class ConsoleSetup : IDisposable
{
    private readonly SafeFileDescriptor? _allocated;
    private Termios? _before;

    private ConsoleSetup(SafeFileDescriptor? terminal, SafeFileDescriptor? allocated, Termios? before) =>
        (Terminal, _allocated, _before) = (terminal, allocated, before);

    /// <summary>The terminal to hand over, or null when there is none.</summary>
    public SafeFileDescriptor? Terminal { get; }

    /// <summary>This command's own input, output and error. Borrowed.</summary>
    public IReadOnlyList<SafeFileDescriptor> Streams { get; } =
        [new(0, ownsHandle: false), new(1, ownsHandle: false), new(2, ownsHandle: false)];

    /// <param name="request">Which terminal.</param>
    /// <param name="foreground">The modes of a terminal that somebody else made are given back when this is disposed.</param>
    /// <exception cref="LinuxException">The console socket or the terminal is not there.</exception>
    /// <exception cref="ArgumentException">A terminal is wanted and what should be one is none.</exception>
    public static ConsoleSetup Open(ConsoleRequest request, bool foreground)
    {
        if (!request.Terminal)
        {
            return new ConsoleSetup(null, null, null);
        }

        if (request.Path is { } path)
        {
            return OpenNamed(path, foreground);
        }

        if (request.Socket is null)
        {
            var input = new SafeFileDescriptor(0, ownsHandle: false);
            return Linux.Terminal.IsTerminal(input)
                ? new ConsoleSetup(input, null, Linux.Terminal.MakeRaw(input))
                : throw new ArgumentException("Cannot use 'standard input' as the terminal of the process: it is none. Set process.terminal to false, or run from a terminal");
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
                return new ConsoleSetup(peer, peer, null);
            }
            catch
            {
                peer.Dispose();
                throw;
            }
        }
    }

    /// <summary>The same for a stand-in of its own.</summary>
    public IReadOnlyDictionary<int, SafeFileDescriptor> ForChild() => Terminal is { } terminal
        ? new Dictionary<int, SafeFileDescriptor> { [0] = terminal }
        : new Dictionary<int, SafeFileDescriptor> { [0] = Streams[0], [1] = Streams[1], [2] = Streams[2] };

    /// <summary>Gives this command's terminal its modes back.</summary>
    public void Dispose()
    {
        if (_before is { } before)
        {
            _before = null;
            Linux.Terminal.Restore(Terminal!, before);
        }

        _allocated?.Dispose();
    }

    private static ConsoleSetup OpenNamed(string path, bool foreground)
    {
        SafeFileDescriptor terminal = LibC.open(path, LibC.O_RDWR | LibC.O_NOCTTY | LibC.O_NONBLOCK | LibC.O_CLOEXEC, 0);
        try
        {
            if (terminal.IsInvalid)
            {
                LinuxException error = LinuxException.FromLastErrno("open", "");
                throw new LinuxException(error.Call, $"use the terminal '{path}'", error.Errno, "Give --console the path of a terminal that exists, such as /dev/pts/0");
            }

            if (!Linux.Terminal.IsTerminal(terminal))
            {
                throw new ArgumentException($"Cannot use the terminal '{path}': it is none. Give --console the path of a terminal, such as /dev/pts/0");
            }

            Termios before = Linux.Terminal.MakeRaw(terminal);
            return new ConsoleSetup(terminal, terminal, foreground ? before : null);
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
