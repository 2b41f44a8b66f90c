using Grpc.Core;
using Kata.Agent.Protocol;
using Kata.Agent.Protocol.Extension;
using Kata.Linux;

namespace Kata.Agent.Network;

/// <summary>A connection to the guest's loopback interface, for somebody on the host.</summary>
internal static class LoopbackConnection
{
    /// <summary>Connects and relays until both directions have ended.</summary>
    /// <exception cref="RpcException">Unavailable: nothing listens, or the connection broke. InvalidArgument: it sent too much.</exception>
    public static async Task RunAsync(
        ushort port, IAsyncStreamReader<ConnectionFrame> incoming, IAsyncStreamWriter<ConnectionFrame> outgoing,
        CancellationToken cancellationToken)
    {
        DescriptorStream connection = await ConnectAsync(port, cancellationToken);
        await using (connection)
        {
            try
            {
                using var relay = new ConnectionRelay(
                    connection, () => LoopbackSocket.EndWriting(connection.Descriptor), incoming, outgoing);
                await relay.RunAsync(cancellationToken);
            }
            catch (Exception error) when (error is LinuxException or IOException)
            {
                LoopbackSocket.ResetOnClose(connection.Descriptor);
                throw AgentException.Of(StatusCode.Unavailable, $"Cannot relay a connection to port {port}: {ErrorText.Of(error)}");
            }
            catch (InvalidDataException error)
            {
                LoopbackSocket.ResetOnClose(connection.Descriptor);
                throw AgentException.Invalid($"Cannot relay a connection to port {port}: {ErrorText.Of(error)}");
            }
        }
    }

    // The host's engines try both families by themselves; but to them a connection is one as soon as the host has taken it.
    private static async Task<DescriptorStream> ConnectAsync(ushort port, CancellationToken cancellationToken)
    {
        try
        {
            return await LoopbackSocket.ConnectAsync(port, isVersion6: false, cancellationToken);
        }
        catch (LinuxException first)
        {
            try
            {
                return await LoopbackSocket.ConnectAsync(port, isVersion6: true, cancellationToken);
            }
            catch (LinuxException)
            {
                throw AgentException.Of(StatusCode.Unavailable, ErrorText.Of(first));
            }
        }
    }
}
