namespace Kata.Netlink.Tests;

/// <summary>A kernel that says yes to everything, and remembers what it was asked.</summary>
internal sealed class RecordingTransport : INetlinkTransport
{
    private readonly Queue<byte[]> _answers = [];

    public List<byte[]> Sent { get; } = [];

    public byte[] Last => Sent[^1];

    public NetlinkErrno Send(ReadOnlySpan<byte> datagram)
    {
        Sent.Add(datagram.ToArray());
        var messages = new MessageReader(datagram);
        while (messages.Read(out NetlinkMessage message))
        {
            _answers.Enqueue(Messages.Acknowledge(message.Sequence));
        }

        return NetlinkErrno.None;
    }

    public NetlinkErrno Receive(ref byte[] buffer, out int length, out uint sender)
    {
        byte[] answer = _answers.Dequeue();
        answer.CopyTo(buffer, 0);
        (length, sender) = (answer.Length, 0);
        return NetlinkErrno.None;
    }

    public void Dispose()
    {
    }
}
