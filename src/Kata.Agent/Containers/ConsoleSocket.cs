using Kata.Linux;

namespace Kata.Agent.Containers;

/// <summary>The socket on which crun hands over the controlling side of a container's terminal.</summary>
internal sealed class ConsoleSocket : IDisposable
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(10); // crun has connected before it ended; this is for a broken crun

    private readonly SocketListener _listener;

    private ConsoleSocket(string path, SocketListener listener)
    {
        Path = path;
        _listener = listener;
    }

    public string Path { get; }

    public static ConsoleSocket Listen(string path)
    {
        File.Delete(path);
        return new ConsoleSocket(path, new SocketListener(UnixSocket.Listen(path)));
    }

    /// <summary>The terminal; the caller owns it. Call it after crun has ended well: the message is then waiting.</summary>
    public async Task<SafeFileDescriptor> ReceiveAsync()
    {
        using var deadline = new CancellationTokenSource(s_limit);
        var connection = new DescriptorStream(await _listener.AcceptAsync(deadline.Token));
        await using (connection)
        {
            var received = new List<SafeFileDescriptor>();
            byte[] name = new byte[4096];
            _ = await connection.ReceiveAsync(name, received, deadline.Token);
            if (received.Count != 1)
            {
                received.ForEach(static descriptor => descriptor.Dispose());
                throw AgentException.Failed($"Cannot attach the terminal: crun passed {received.Count} descriptors instead of one");
            }

            return received[0];
        }
    }

    public void Dispose()
    {
        _listener.Dispose();
        File.Delete(Path);
    }
}
