namespace Kata.Netlink;

/// <summary>Datagrams to and from the kernel. Calls come from one thread at a time.</summary>
internal interface INetlinkTransport : IDisposable
{
    /// <returns>The error; <see cref="NetlinkErrno.None"/> when all of it went.</returns>
    NetlinkErrno Send(ReadOnlySpan<byte> datagram);

    /// <summary>Waits for a datagram, not longer than the receive timeout.</summary>
    /// <param name="buffer">Replaced by a larger one when the datagram has no room in it.</param>
    /// <param name="length">Of the datagram.</param>
    /// <param name="sender">The port it came from: 0 is the kernel.</param>
    /// <returns>The error; <see cref="NetlinkErrno.EAGAIN"/> when nothing came in time.</returns>
    NetlinkErrno Receive(ref byte[] buffer, out int length, out uint sender);
}
