using Kata.Linux;
using Kata.Linux.Interop;

namespace Kata.Runtime.Hosting;

/// <summary>
/// The streams a process will have: this command's own three, this command's own terminal switched to raw mode (the guest's
/// terminal does the editing), or a new pseudoterminal whose controlling side goes through the console socket.
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

    /// <exception cref="LinuxException">The console socket is not there.</exception>
    /// <exception cref="ArgumentException">A terminal is wanted and standard input is none.</exception>
    public static ConsoleSetup Open(bool terminal, string? consoleSocket)
    {
        if (!terminal)
        {
            return new ConsoleSetup(null, null, null);
        }

        if (consoleSocket is null)
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
                using SafeFileDescriptor socket = Connect(consoleSocket);
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
        _allocated?.Dispose();
        if (_before is { } before)
        {
            _before = null;
            Linux.Terminal.Restore(Terminal!, before);
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
