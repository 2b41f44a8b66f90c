using System.Buffers.Binary;
using System.Globalization;
using Kata.Linux;

namespace Kata.Network;

/// <summary>
/// The name server that docker has listen in a network namespace, at an address of its loopback (127.0.0.11): a guest, which has a
/// loopback of its own, does not reach it. Rules of the namespace lead from port 53 to where it really listens.
/// </summary>
internal static class NameServer
{
    private const ushort Port = 53;
    private const int MaxAnswer = ushort.MaxValue;

    /// <summary>Its address: what containers are told.</summary>
    public static ReadOnlySpan<byte> Address => [127, 0, 0, 11];

    /// <summary>Whether something listens at that address in a namespace.</summary>
    public static bool IsIn(NetworkNamespace space) => space.Run(static () => File.ReadLines("/proc/thread-self/net/udp").Any(IsAtAddress));

    /// <summary>Asks it.</summary>
    /// <param name="space">Where it is.</param>
    /// <param name="question">The message, without a length in front.</param>
    /// <param name="stream">By TCP, where answers may be longer than a datagram.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="LinuxException">It does not take it.</exception>
    /// <exception cref="IOException">It ended the connection.</exception>
    public static async Task<byte[]> AskAsync(
        NetworkNamespace space, ReadOnlyMemory<byte> question, bool stream, CancellationToken cancellationToken)
    {
        SafeFileDescriptor socket = space.Run(() => InternetSocket.Connect(Address, Port, stream));
        return await (stream
            ? AskByStreamAsync(socket, question, cancellationToken)
            : AskByDatagramAsync(socket, question, cancellationToken));
    }

    /// <summary>Whether a line of /proc/net/udp is of a socket at the address: that is in hexadecimal, in this machine's order.</summary>
    internal static bool IsAtAddress(string line)
    {
        string[] fields = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return fields.Length > 1
            && fields[1].Split(':') is [string address, _]
            && uint.TryParse(address, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out uint number)
            && number == BitConverter.ToUInt32(Address);
    }

    private static async Task<byte[]> AskByDatagramAsync(
        SafeFileDescriptor socket, ReadOnlyMemory<byte> question, CancellationToken cancellationToken)
    {
        using var polled = new PolledDescriptor(socket);
        InternetSocket.Send(socket, question.Span);
        byte[] answer = new byte[MaxAnswer];
        int length;
        while ((length = InternetSocket.Receive(socket, answer, out _)) < 0)
        {
            await polled.WaitReadableAsync(cancellationToken);
        }

        return answer[..length];
    }

    private static async Task<byte[]> AskByStreamAsync(
        SafeFileDescriptor socket, ReadOnlyMemory<byte> question, CancellationToken cancellationToken)
    {
        await using var stream = new DescriptorStream(socket);
        byte[] message = new byte[question.Length + 2];
        BinaryPrimitives.WriteUInt16BigEndian(message, checked((ushort)question.Length));
        question.CopyTo(message.AsMemory(2));
        await stream.WriteAsync(message, cancellationToken);
        byte[] head = new byte[2];
        await stream.ReadExactlyAsync(head, cancellationToken);
        byte[] answer = new byte[BinaryPrimitives.ReadUInt16BigEndian(head)];
        await stream.ReadExactlyAsync(answer, cancellationToken);
        return answer;
    }
}
