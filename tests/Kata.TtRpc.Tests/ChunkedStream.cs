namespace Kata.TtRpc.Tests;

/// <summary>Gives its bytes in pieces of the given sizes, over and over.</summary>
internal sealed class ChunkedStream(byte[] bytes, int[] pieces) : MemoryStream(bytes)
{
    private int _piece;

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        base.ReadAsync(buffer[..Math.Min(buffer.Length, pieces[_piece++ % pieces.Length])], cancellationToken);
}
