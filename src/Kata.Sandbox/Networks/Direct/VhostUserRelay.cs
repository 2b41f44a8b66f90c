using System.Buffers.Binary;
using Kata.Linux;

namespace Kata.Sandbox;

/// <summary>
/// Carries the messages of vhost-user, and the descriptors that come with them, between a machine and the program behind a card. Packets do
/// not pass here: they are in the guest's memory, which both have. Neither the machine, which has no right to the program's socket, nor
/// the program has to know when the other one is there.
/// </summary>
/// <remarks>
/// A message is a header of 12 bytes (request, flags, length of the rest, in the host's order) and the rest; descriptors come with its
/// first byte (QEMU, docs/interop/vhost-user.rst). They are carried one by one: two in one piece would hand the second one's descriptors to
/// the first. A monitor that has connected waits for answers and for nothing else, so its socket is there only while the program is.
/// </remarks>
internal sealed class VhostUserRelay : IAsyncDisposable
{
    /// <summary>Of a rest, in bytes; the longest of the protocol, tables of memory, have some hundreds.</summary>
    private const int MaxRestBytes = 64 * 1024;

    private const int HeaderBytes = 12;
    private const int LengthOffset = 8;

    /// <summary>Between two attempts to find a program that has gone. Nobody tells when it is back.</summary>
    private static readonly TimeSpan s_pause = TimeSpan.FromSeconds(1);

    private readonly Func<SafeFileDescriptor> _listen;
    private readonly Func<CancellationToken, Task<SafeFileDescriptor>> _open;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _ending = new();
    private readonly Task _carrying; // ends on _ending

    /// <param name="program">The first connection with the program. Owned.</param>
    /// <param name="listen">Makes the socket at which the machine connects, which is removed when it is closed.</param>
    /// <param name="open">Waits for the program, or fails with <see cref="LinuxException"/> where it is not there.</param>
    /// <param name="time">Measures pauses.</param>
    public VhostUserRelay(
        SafeFileDescriptor program, Func<SafeFileDescriptor> listen, Func<CancellationToken, Task<SafeFileDescriptor>> open,
        TimeProvider time)
    {
        (_listen, _open, _time) = (listen, open, time);
        SafeFileDescriptor first;
        try
        {
            first = listen(); // there from now on: the machine connects as it starts
        }
        catch
        {
            program.Dispose();
            throw;
        }

        _carrying = CarryAsync(program, first, _ending.Token);
    }

    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync();
        await _carrying.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _ending.Dispose();
    }

    private async Task CarryAsync(SafeFileDescriptor program, SafeFileDescriptor socket, CancellationToken cancellationToken)
    {
        while (true)
        {
            using (var far = new PolledDescriptor(program))
            {
                SafeFileDescriptor machine;
                using (var listener = new SocketListener(socket))
                {
                    machine = await listener.AcceptAsync(cancellationToken);
                }

                using var near = new PolledDescriptor(machine);
                await using CancellationTokenRegistration closing = cancellationToken.UnsafeRegister(Close, (near, far));
                Task there = CopyAsync(near, far), back = CopyAsync(far, near);
                await Task.WhenAny(there, back);
                Close((near, far)); // what one end has left is of no use to the other
                await Task.WhenAll(there, back);
            }

            (program, socket) = await FindAsync(cancellationToken);
        }
    }

    private static void Close(object? ends)
    {
        (PolledDescriptor near, PolledDescriptor far) = ((PolledDescriptor, PolledDescriptor))ends!;
        near.Dispose();
        far.Dispose();
    }

    // Until there is one, and a socket for the machine: a host that is short of something now may have it later.
    private async Task<(SafeFileDescriptor Program, SafeFileDescriptor Socket)> FindAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                SafeFileDescriptor program = await _open(cancellationToken);
                try
                {
                    return (program, _listen());
                }
                catch
                {
                    program.Dispose();
                    throw;
                }
            }
            catch (Exception error) when (error is LinuxException or IOException or UnauthorizedAccessException)
            {
                await Task.Delay(s_pause, _time, cancellationToken);
            }
        }
    }

    // Ends when one of both has gone, or says what is no message.
    private static async Task CopyAsync(PolledDescriptor from, PolledDescriptor to)
    {
        byte[] buffer = new byte[HeaderBytes + MaxRestBytes];
        var passed = new List<SafeFileDescriptor>();
        try
        {
            while (await ReceiveAsync(from, buffer, passed) is > 0 and int length)
            {
                await SendAsync(to, buffer.AsMemory(0, length), [.. passed]);
                Release(passed);
            }
        }
        catch (Exception error) when (error is LinuxException or ObjectDisposedException)
        {
            // It is gone, or the other one is.
        }
        finally
        {
            Release(passed);
        }
    }

    /// <returns>The message's length; 0 at the end.</returns>
    private static async Task<int> ReceiveAsync(PolledDescriptor from, byte[] buffer, List<SafeFileDescriptor> passed)
    {
        int length = HeaderBytes;
        for (int received = 0; received < length;)
        {
            int count = DescriptorPassing.Receive(from.Descriptor, buffer.AsSpan(received, length - received), passed);
            if (count == 0)
            {
                return 0;
            }

            if (count < 0)
            {
                await from.WaitReadableAsync(CancellationToken.None);
                continue;
            }

            received += count;
            if (received == HeaderBytes && length == HeaderBytes)
            {
                uint rest = BinaryPrimitives.ReadUInt32LittleEndian(buffer.AsSpan(LengthOffset));
                if (rest > MaxRestBytes)
                {
                    return 0;
                }

                length += (int)rest;
            }
        }

        return length;
    }

    private static async Task SendAsync(PolledDescriptor to, ReadOnlyMemory<byte> message, SafeFileDescriptor[] passed)
    {
        for (int sent = 0; sent < message.Length;)
        {
            try
            {
                sent += DescriptorPassing.Send(to.Descriptor, message.Span[sent..], sent == 0 ? passed : []);
            }
            catch (LinuxException error) when (error.Errno == Errno.EAGAIN)
            {
                await to.WaitWritableAsync(CancellationToken.None);
            }
        }
    }

    private static void Release(List<SafeFileDescriptor> passed)
    {
        passed.ForEach(static descriptor => descriptor.Dispose());
        passed.Clear();
    }
}
