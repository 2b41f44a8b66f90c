namespace Kata.Netlink.Tests;

/// <summary>A kernel that answers each message as it is told; with nothing to answer the time is over at once.</summary>
internal sealed class ScriptedKernel : INetlinkTransport
{
    private readonly Queue<(byte[] Datagram, uint Sender, NetlinkErrno Errno)> _answers = [];

    /// <summary>Called for each message with its sequence number.</summary>
    public Action<uint> OnSend { get; set; } = static _ => { };

    public int Requests { get; private set; }

    public int Datagrams { get; private set; }

    /// <summary>How many answers have not been read.</summary>
    public int Waiting => _answers.Count;

    public void Answer(byte[] datagram, uint sender = 0) => _answers.Enqueue((datagram, sender, NetlinkErrno.None));

    public void Fail(NetlinkErrno errno) => _answers.Enqueue(([], 0, errno));

    public NetlinkErrno Send(ReadOnlySpan<byte> datagram)
    {
        Datagrams++;
        var messages = new MessageReader(datagram);
        while (messages.Read(out NetlinkMessage message))
        {
            Requests++;
            OnSend(message.Sequence);
        }

        return NetlinkErrno.None;
    }

    public NetlinkErrno Receive(ref byte[] buffer, out int length, out uint sender)
    {
        (byte[] datagram, sender, NetlinkErrno errno) = _answers.TryDequeue(out var answer) ? answer : ([], 0u, NetlinkErrno.EAGAIN);
        length = datagram.Length;
        if (length > buffer.Length)
        {
            buffer = new byte[length];
        }

        datagram.CopyTo(buffer, 0);
        return errno;
    }

    public void Dispose()
    {
    }
}
