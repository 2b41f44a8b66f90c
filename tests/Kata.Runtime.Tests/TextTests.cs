using System.Globalization;
using CsCheck;

namespace Kata.Runtime.Tests;

public sealed class TextTests
{
    [Theory]
    [InlineData("0", 0L)]
    [InlineData("-1", -1L)]
    [InlineData("1024", 1024L)]
    [InlineData("1k", 1024L)]
    [InlineData("1K", 1024L)]
    [InlineData("512m", 512L << 20)]
    [InlineData("512MB", 512L << 20)]
    [InlineData("1.5GiB", 3L << 29)]
    [InlineData("1 g", 1L << 30)]
    [InlineData("2t", 2L << 40)]
    [InlineData("1p", 1L << 50)]
    [InlineData("7b", 7L)]
    [InlineData("9223372036854775807", long.MaxValue)]
    [InlineData("9223372036854775808", null)]
    [InlineData("99999p", null)]
    [InlineData("99999999999999999999999999999999999", null)]
    [InlineData("", null)]
    [InlineData("-2", null)]
    [InlineData("+1", null)]
    [InlineData("m", null)]
    [InlineData("1e3", null)]
    [InlineData("1mm", null)]
    [InlineData("1x", null)]
    [InlineData("1..5k", null)]
    [InlineData("1k\0", null)]
    [InlineData("１", null)]
    public void Size_Text_IsBytesOrNull(string text, long? expected) => Assert.Equal(expected, SizeText.Parse(text));

    [Fact]
    public void Size_AnyNumberOfBytes_IsItself() =>
        Gen.Long[0, long.MaxValue].Sample(static number => SizeText.Parse(number.ToString(CultureInfo.InvariantCulture)) == number);

    [Theory]
    [InlineData("5s", 5000d)]
    [InlineData("0", 0d)]
    [InlineData("250ms", 250d)]
    [InlineData("1m30s", 90_000d)]
    [InlineData("1.5h", 5_400_000d)]
    [InlineData("-5s", -5000d)]
    [InlineData("1us", 0.001d)]
    [InlineData("", null)]
    [InlineData("-", null)]
    [InlineData("5", null)]
    [InlineData("s", null)]
    [InlineData("5 s", null)]
    [InlineData("5x", null)]
    [InlineData("1s2", null)]
    [InlineData("1..5s", null)]
    [InlineData("999999999999h", null)]
    [InlineData("99999999999999999999999999s", null)]
    public void Duration_Text_IsTimeOrNull(string text, double? milliseconds) =>
        Assert.Equal(milliseconds, DurationText.Parse(text)?.TotalMilliseconds);
}
