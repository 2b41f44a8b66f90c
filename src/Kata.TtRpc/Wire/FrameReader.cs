namespace Kata.TtRpc;

/// <summary>
/// Cuts a byte stream into frames. Used by one loop at a time.
/// </summary>
/// <remarks>
/// The declared length is never trusted for memory: an array starts small and doubles as bytes really arrive, so a peer pays for what it
/// makes us hold. An idle connection holds only the read buffer. A large message is read straight into its own array.
/// </remarks>
internal sealed class FrameReader(Stream stream)
{
    private const int BufferSize = 8 * 1024;
    private const int FirstAllocation = 64 * 1024;

    private readonly byte[] _buffer = new byte[BufferSize];
    private int _start;
    private int _end;

    private int Buffered => _end - _start;

    /// <returns>The next header, or null when the peer closed the connection between two frames.</returns>
    public async ValueTask<FrameHeader?> ReadHeaderAsync(CancellationToken cancellationToken)
    {
        while (Buffered < FrameHeader.Size)
        {
            if (await FillAsync(cancellationToken).ConfigureAwait(false)) continue;
            if (Buffered == 0) return null;
            throw new TtRpcProtocolException(
                $"Cannot read a frame: the connection ended after {Buffered} of {FrameHeader.Size} header bytes. Look at the peer's log");
        }

        FrameHeader header = FrameHeader.Read(_buffer.AsSpan(_start));
        _start += FrameHeader.Size;
        return header;
    }

    /// <summary>Reads the data of the frame whose header was read last. The caller has checked the length against its limit.</summary>
    public async ValueTask<ReceivedBytes> ReadDataAsync(int length, CancellationToken cancellationToken)
    {
        if (length == 0) return ReceivedBytes.Empty;

        byte[] array = FrameBuffers.Rent(Math.Min(length, FirstAllocation));
        int filled = 0;
        try
        {
            while (true)
            {
                filled += Take(array.AsSpan(filled, Math.Min(length, array.Length) - filled));
                if (filled == length) break;
                if (filled == array.Length)
                {
                    array = Grow(array, length);
                    continue; // there may be more in the buffer
                }

                int room = Math.Min(length, array.Length) - filled;
                if (Buffered > 0)
                {
                    // A rest that filled the array's end may have brought more of this frame: that comes first.
                    filled += Take(array.AsSpan(filled, room));
                }
                else if (room < BufferSize)
                {
                    // A short rest goes through the buffer, so that one read can bring the next frames too.
                    if (!await FillAsync(cancellationToken).ConfigureAwait(false)) throw Truncated(filled, length);
                }
                else
                {
                    int read = await stream.ReadAsync(array.AsMemory(filled, room), cancellationToken).ConfigureAwait(false);
                    if (read == 0) throw Truncated(filled, length);
                    filled += read;
                }
            }

            return new ReceivedBytes(array, 0, length);
        }
        catch
        {
            FrameBuffers.Return(array);
            throw;
        }
    }

    /// <summary>Reads and forgets the data of a frame, whatever its length, without holding more than the read buffer.</summary>
    public async ValueTask DiscardAsync(uint length, CancellationToken cancellationToken)
    {
        uint left = length;
        while (true)
        {
            int skipped = (int)Math.Min((uint)Buffered, left);
            _start += skipped;
            left -= (uint)skipped;
            if (left == 0) return;
            if (!await FillAsync(cancellationToken).ConfigureAwait(false)) throw Truncated(length - left, length);
        }
    }

    private static TtRpcProtocolException Truncated(long read, long length) =>
        new($"Cannot read a frame: the connection ended after {read} of {length} data bytes. Look at the peer's log");

    private static byte[] Grow(byte[] array, int length)
    {
        byte[] larger = FrameBuffers.Rent((int)Math.Min(length, array.Length * 2L));
        array.CopyTo(larger, 0);
        FrameBuffers.Return(array);
        return larger;
    }

    private int Take(Span<byte> destination)
    {
        int count = Math.Min(Buffered, destination.Length);
        _buffer.AsSpan(_start, count).CopyTo(destination);
        _start += count;
        return count;
    }

    /// <returns>False at the end of the stream.</returns>
    private async ValueTask<bool> FillAsync(CancellationToken cancellationToken)
    {
        if (_start > 0)
        {
            _buffer.AsSpan(_start, Buffered).CopyTo(_buffer);
            _end -= _start;
            _start = 0;
        }

        int read = await stream.ReadAsync(_buffer.AsMemory(_end), cancellationToken).ConfigureAwait(false);
        _end += read;
        return read > 0;
    }
}
