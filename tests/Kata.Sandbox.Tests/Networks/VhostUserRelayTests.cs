using System.Buffers.Binary;
using Kata.Linux;
using Kata.Testing;
using Microsoft.Extensions.Time.Testing;

namespace Kata.Sandbox.Tests;

/// <summary>Messages between a machine and a program, which are this test.</summary>
public sealed class VhostUserRelayTests : IAsyncDisposable
{
    private const int HeaderBytes = 12;

    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(30);

    private readonly TemporaryDirectory _directory = new();
    private readonly FakeTimeProvider _clock = new();
    private readonly Queue<SafeFileDescriptor?> _later = new(); // connections with the program that the relay finds; null for none
    private int _shortages; // how often the machine's socket cannot be made
    private readonly TaskCompletionSource _asked = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly SafeFileDescriptor _program;
    private readonly VhostUserRelay _relay;

    public VhostUserRelayTests()
    {
        (_program, SafeFileDescriptor theirs) = UnixSocket.Pair();
        _relay = new VhostUserRelay(
            theirs,
            () =>
            {
                File.Delete(SocketPath);
                return _shortages-- <= 0 ? UnixSocket.Listen(SocketPath) : throw new LinuxException("bind", "bind", Errno.ENOSPC);
            },
            _ =>
            {
                _asked.TrySetResult();
                return _later.Dequeue() is { } found ? Task.FromResult(found)
                    : throw new LinuxException("connect", "connect", Errno.ECONNREFUSED);
            },
            _clock);
    }

    private string SocketPath => _directory.File("socket");

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        await _relay.DisposeAsync();
        _program.Dispose();
        _directory.Dispose();
    }

    [Fact]
    public async Task Messages_InOnePiece_ArriveEachWithItsOwnDescriptors()
    {
        using SafeFileDescriptor machine = UnixSocket.Connect(SocketPath);
        (SafeFileDescriptor one, SafeFileDescriptor other) = UnixSocket.Pair();
        byte[] plain = Message(1, 8), withOne = Message(2, 40), withTwo = Message(3, 0);
        DescriptorPassing.Send(machine, plain, []);
        DescriptorPassing.Send(machine, withOne, [one]);
        DescriptorPassing.Send(machine, withTwo, [one, other]);
        other.Dispose();
        one.Dispose();

        Assert.Equal((Hex(plain), 0), await ReadAsync(_program, plain.Length));
        Assert.Equal((Hex(withOne), 1), await ReadAsync(_program, withOne.Length));
        Assert.Equal((Hex(withTwo), 2), await ReadAsync(_program, withTwo.Length));

        DescriptorPassing.Send(_program, withOne, []);
        Assert.Equal((Hex(withOne), 0), await ReadAsync(machine, withOne.Length));
    }

    [Fact]
    public async Task Message_InSmallPieces_ArrivesWhole()
    {
        using SafeFileDescriptor machine = UnixSocket.Connect(SocketPath);
        byte[] message = Message(7, 300);
        foreach (byte[] piece in message.Chunk(7))
        {
            DescriptorPassing.Send(machine, piece, []);
        }

        Assert.Equal((Hex(message), 0), await ReadAsync(_program, message.Length));
    }

    [Fact]
    public async Task Message_LongerThanAny_EndsTheConnection()
    {
        using SafeFileDescriptor machine = UnixSocket.Connect(SocketPath);
        byte[] message = Message(7, 0);
        BinaryPrimitives.WriteUInt32LittleEndian(message.AsSpan(8), uint.MaxValue);
        DescriptorPassing.Send(machine, message, []);
        _later.Enqueue(null);

        Assert.Equal(("", 0), await ReadAsync(machine, 1));
        Assert.Equal(("", 0), await ReadAsync(_program, 1));
    }

    // The machine finds nobody to connect to for as long as the program is not there: it would wait for its answers.
    [Fact]
    public async Task Program_GoneAndBack_HasTheMachineConnectAgainThen()
    {
        (SafeFileDescriptor next, SafeFileDescriptor theirs) = UnixSocket.Pair();
        _later.Enqueue(null);
        _later.Enqueue(theirs);
        using SafeFileDescriptor machine = UnixSocket.Connect(SocketPath);
        DescriptorPassing.Send(machine, Message(1, 0), []);
        await ReadAsync(_program, HeaderBytes);
        _program.Dispose();

        Assert.Equal(("", 0), await ReadAsync(machine, 1));
        await _asked.Task.WaitAsync(s_limit, Token);
        Assert.Throws<LinuxException>(() => UnixSocket.Connect(SocketPath));
        using SafeFileDescriptor again = await ConnectAgainAsync();
        byte[] message = Message(5, 4);
        DescriptorPassing.Send(again, message, []);
        Assert.Equal((Hex(message), 0), await ReadAsync(next, message.Length));
        next.Dispose();
    }

    [Fact]
    public async Task Socket_ThatCannotBeMade_IsMadeLater()
    {
        (SafeFileDescriptor next, SafeFileDescriptor theirs) = UnixSocket.Pair();
        (SafeFileDescriptor lost, SafeFileDescriptor first) = UnixSocket.Pair();
        _later.Enqueue(first);
        _later.Enqueue(theirs);
        _shortages = 1;
        using SafeFileDescriptor machine = UnixSocket.Connect(SocketPath);
        _program.Dispose();

        Assert.Equal(("", 0), await ReadAsync(machine, 1));
        await _asked.Task.WaitAsync(s_limit, Token);
        Assert.Equal(("", 0), await ReadAsync(lost, 1)); // the program is not left waiting
        using SafeFileDescriptor again = await ConnectAgainAsync();
        byte[] message = Message(5, 4);
        DescriptorPassing.Send(again, message, []);
        Assert.Equal((Hex(message), 0), await ReadAsync(next, message.Length));
        lost.Dispose();
        next.Dispose();
    }

    private async Task<SafeFileDescriptor> ConnectAgainAsync()
    {
        for (int attempt = 0; attempt < 1000; attempt++)
        {
            _clock.Advance(TimeSpan.FromSeconds(1));
            try
            {
                return UnixSocket.Connect(SocketPath);
            }
            catch (LinuxException)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(10), Token);
            }
        }

        throw new TimeoutException("The relay does not listen again");
    }

    private static byte[] Message(uint request, int rest)
    {
        byte[] message = new byte[HeaderBytes + rest];
        BinaryPrimitives.WriteUInt32LittleEndian(message, request);
        BinaryPrimitives.WriteInt32LittleEndian(message.AsSpan(8), rest);
        message.AsSpan(HeaderBytes).Fill((byte)request);
        return message;
    }

    private static string Hex(byte[] data) => Convert.ToHexString(data);

    // As a program reads: the header's descriptors come with its first byte. Less at the end.
    private static async Task<(string Hex, int Descriptors)> ReadAsync(SafeFileDescriptor socket, int length)
    {
        using var polled = new PolledDescriptor(socket.Duplicate());
        byte[] data = new byte[length];
        var passed = new List<SafeFileDescriptor>();
        int received = 0;
        while (received < length)
        {
            int count = DescriptorPassing.Receive(socket, data.AsSpan(received), passed);
            if (count == 0)
            {
                break;
            }

            if (count < 0)
            {
                await polled.WaitReadableAsync(Token).WaitAsync(s_limit, Token);
                continue;
            }

            received += count;
        }

        passed.ForEach(static descriptor => descriptor.Dispose());
        return (Hex(data[..received]), passed.Count);
    }
}
