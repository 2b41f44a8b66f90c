using System.Buffers.Binary;
using System.Collections.Concurrent;
using Google.Protobuf;
using Grpc.Core;
using Kata.Agent.Protocol.Extension;
using Kata.Linux;
using Kata.Linux.Interop;

namespace Kata.Agent.Network;

/// <summary>
/// Takes what programs ask a name server that only the host reaches, and gives them the host's answers. Owns its sockets.
/// </summary>
internal sealed class NameRelay : IDisposable
{
    private const ushort Port = 53;
    private const int MaxMessage = ushort.MaxValue;
    private const int MaxDatagram = 4096; // EDNS asks for less
    private const int MaxOpen = 256; // questions without an answer, and connections; whoever asks asks again

    private readonly IServerStreamWriter<NameQuestion> _questions;
    private readonly PolledDescriptor _datagrams;
    private readonly PolledDescriptor _connections;
    private readonly SemaphoreSlim _writing = new(1, 1);
    private readonly ConcurrentDictionary<uint, TaskCompletionSource<ByteString>> _open = new();
    private int _last;

    private NameRelay(PolledDescriptor datagrams, PolledDescriptor connections, IServerStreamWriter<NameQuestion> questions) =>
        (_datagrams, _connections, _questions) = (datagrams, connections, questions);

    /// <summary>Takes questions from here on.</summary>
    /// <exception cref="RpcException">AlreadyExists: something in the guest has the port.</exception>
    public static NameRelay Open(ReadOnlySpan<byte> address, IServerStreamWriter<NameQuestion> questions)
    {
        SafeFileDescriptor? datagrams = null;
        try
        {
            datagrams = InternetSocket.Bind(address, Port, listens: false);
            SafeFileDescriptor connections = InternetSocket.Bind(address, Port, listens: true);
            return new NameRelay(new PolledDescriptor(datagrams), new PolledDescriptor(connections), questions);
        }
        catch (LinuxException error)
        {
            datagrams?.Dispose();
            throw error.Errno is Errno.EADDRINUSE
                ? AgentException.Exists("Cannot relay names: a program in the guest has the port of name servers")
                : error;
        }
    }

    /// <summary>Relays until the host ends the call.</summary>
    public async Task RunAsync(IAsyncStreamReader<NameAnswer> answers, CancellationToken cancellationToken)
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task taking = Task.WhenAll(TakeDatagramsAsync(ended.Token), TakeConnectionsAsync(ended.Token));
        try
        {
            while (await answers.MoveNext(cancellationToken))
            {
                if (_open.TryRemove(answers.Current.Number, out TaskCompletionSource<ByteString>? waiting))
                {
                    waiting.TrySetResult(answers.Current.Message);
                }
            }
        }
        finally
        {
            await ended.CancelAsync();
            foreach (TaskCompletionSource<ByteString> waiting in _open.Values)
            {
                waiting.TrySetCanceled(CancellationToken.None);
            }

            await taking.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    public void Dispose()
    {
        _datagrams.Dispose();
        _connections.Dispose();
        _writing.Dispose();
    }

    private async Task TakeDatagramsAsync(CancellationToken cancellationToken)
    {
        byte[] buffer = new byte[MaxDatagram];
        while (true)
        {
            int length = InternetSocket.Receive(_datagrams.Descriptor, buffer, out SockAddrIn sender);
            if (length > 0)
            {
                // Ends with its answer or the relay.
                _ = AnswerDatagramAsync(ByteString.CopyFrom(buffer, 0, length), sender, cancellationToken);
            }
            else if (length < 0)
            {
                await _datagrams.WaitReadableAsync(cancellationToken);
            }
        }
    }

    private async Task AnswerDatagramAsync(ByteString question, SockAddrIn sender, CancellationToken cancellationToken)
    {
        try
        {
            if (await AskAsync(question, stream: false, cancellationToken) is { IsEmpty: false } answer)
            {
                InternetSocket.Send(_datagrams.Descriptor, answer.Span, sender);
            }
        }
        catch (Exception error) when (error is OperationCanceledException or RpcException or ObjectDisposedException)
        {
            // The relay ends; whoever asked asks again.
        }
    }

    private async Task TakeConnectionsAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            SafeFileDescriptor connection = InternetSocket.Accept(_connections.Descriptor);
            if (connection.IsInvalid)
            {
                connection.Dispose();
                await _connections.WaitReadableAsync(cancellationToken);
            }
            else
            {
                _ = AnswerConnectionAsync(new DescriptorStream(connection), cancellationToken); // ends with the connection or the relay
            }
        }
    }

    // Each message has its length in front, two bytes with the higher one first (RFC 1035, 4.2.2).
    private async Task AnswerConnectionAsync(DescriptorStream connection, CancellationToken cancellationToken)
    {
        await using (connection)
        {
            try
            {
                byte[] head = new byte[2];
                while (await connection.ReadAtLeastAsync(head, 2, throwOnEndOfStream: false, cancellationToken) == 2)
                {
                    byte[] question = new byte[BinaryPrimitives.ReadUInt16BigEndian(head)];
                    await connection.ReadExactlyAsync(question, cancellationToken);
                    ByteString answer = await AskAsync(UnsafeByteOperations.UnsafeWrap(question), stream: true, cancellationToken);
                    if (answer.IsEmpty || answer.Length > MaxMessage)
                    {
                        return;
                    }

                    byte[] reply = new byte[answer.Length + 2];
                    BinaryPrimitives.WriteUInt16BigEndian(reply, (ushort)answer.Length);
                    answer.Span.CopyTo(reply.AsSpan(2));
                    await connection.WriteAsync(reply, cancellationToken);
                }
            }
            catch (Exception error) when (error is OperationCanceledException or IOException or LinuxException or RpcException)
            {
                // The program went away, or the relay ends.
            }
        }
    }

    private async Task<ByteString> AskAsync(ByteString question, bool stream, CancellationToken cancellationToken)
    {
        if (_open.Count >= MaxOpen)
        {
            return ByteString.Empty;
        }

        uint number = (uint)Interlocked.Increment(ref _last);
        var waiting = new TaskCompletionSource<ByteString>(TaskCreationOptions.RunContinuationsAsynchronously);
        _open[number] = waiting;
        try
        {
            await _writing.WaitAsync(cancellationToken);
            try
            {
                await _questions.WriteAsync(new NameQuestion { Number = number, Stream = stream, Message = question }, cancellationToken);
            }
            finally
            {
                _writing.Release();
            }

            return await waiting.Task.WaitAsync(cancellationToken);
        }
        finally
        {
            _open.TryRemove(number, out _);
        }
    }
}
