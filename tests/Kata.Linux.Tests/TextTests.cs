using System.Text;
using CsCheck;

namespace Kata.Linux.Tests;

public sealed class TextTests
{
    [Theory]
    [InlineData("plain text", "plain text")]
    [InlineData("\x1b[2Jx", "\\x1b[2Jx")]
    [InlineData("a\tb\0c", "a b\\x00c")]
    [InlineData("right\u202eleft", "right\\u202eleft")]
    [InlineData("line\u2028two\u009b", "line\\u2028two\\x9b")]
    [InlineData("größe 漢字", "größe 漢字")]
    public void Escape_Table(string text, string expected)
    {
        Assert.Equal(expected, PrintableText.Escape(Encoding.UTF8.GetBytes(text)));
        Assert.Equal(expected, PrintableText.Escape(text));
    }

    [Fact]
    public void Escape_AnyBytes_HasNoControlCharacter() =>
        Gen.Byte.Array.Sample(static bytes => PrintableText.Escape(bytes).All(static c => !char.IsControl(c)));

    [Fact]
    public void LineTail_AnySplitting_GivesTheSameLines() => Gen.Select(Gen.String[Gen.Char["ab\n\r"], 0, 200], Gen.Int[1, 7]).Sample(
        static (text, step) =>
        {
            var whole = new LineTail(maxLineBytes: 8);
            var pieces = new LineTail(maxLineBytes: 8);
            byte[] bytes = Encoding.ASCII.GetBytes(text);
            whole.Append(bytes);
            foreach (byte[] piece in bytes.Chunk(step))
            {
                pieces.Append(piece);
            }

            whole.Complete();
            pieces.Complete();
            return whole.Last(int.MaxValue).SequenceEqual(pieces.Last(int.MaxValue))
                && whole.Last(int.MaxValue).All(static line => line.Length <= 32);
        });

    [Fact]
    public void LineTail_Flood_KeepsOnlyTheLast()
    {
        var tail = new LineTail(maxLines: 3);
        for (int i = 0; i < 100_000; i++)
        {
            tail.Append(Encoding.ASCII.GetBytes($"line {i}\r\n"));
        }

        Assert.Equal(["line 99997", "line 99998", "line 99999"], tail.Last(10));
    }

    [Theory]
    [InlineData(0u, 3u)]
    [InlineData(uint.MaxValue, 6u)]
    [InlineData(uint.MaxValue - 4, uint.MaxValue - 1)]
    public void ContextId_AnyRandom_IsNeverReserved(uint random, uint expected) => Assert.Equal(expected, VhostVsock.ToContextId(random));
}
