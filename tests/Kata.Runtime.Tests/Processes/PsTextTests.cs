using Kata.Agent.Protocol.Extension;
using Kata.Runtime.Processes;

namespace Kata.Runtime.Tests.Processes;

public sealed class PsTextTests
{
    [Theory]
    [InlineData(0, "00:00:00", "0:00", "00:00")]
    [InlineData(999, "00:00:00", "0:00", "00:00")]
    [InlineData(59_999, "00:00:59", "0:59", "00:59")]
    [InlineData(3_600_000, "01:00:00", "60:00", "01:00:00")]
    [InlineData(86_400_000, "1-00:00:00", "1440:00", "1-00:00:00")]
    public void Times_Milliseconds_AreAsPsWritesThem(ulong ms, string time, string shorter, string elapsed) =>
        Assert.Equal((time, shorter, elapsed), (PsText.Time(ms), PsText.ShortTime(ms), PsText.Elapsed(ms)));

    [Theory]
    [InlineData(0ul, "10:00")]
    [InlineData(36_000_000ul, "00:00")]
    [InlineData(36_000_001ul, "Dec30")]
    [InlineData(366ul * 86_400_000, "2023")]
    [InlineData(ulong.MaxValue, "1924")]
    public void Started_Age_IsShorterTheLongerAgo(ulong ageMs, string expected) =>
        Assert.Equal(expected, PsText.Started(ageMs, new DateTimeOffset(2024, 12, 31, 10, 0, 0, TimeSpan.Zero)));

    [Theory]
    [InlineData(0, "?")]
    [InlineData(0x8800, "pts/0")]
    [InlineData(0x8901, "pts/257")]
    [InlineData(0x501, "console")]
    [InlineData(0x401, "tty1")]
    [InlineData(0x440, "ttyS0")]
    [InlineData(0x0a02, "10:2")]
    public void Terminal_DeviceNumber_IsItsName(int device, string expected) => Assert.Equal(expected, PsText.Terminal(device));

    [Theory]
    [InlineData(0ul, 0ul, 0ul)]
    [InlineData(5ul, 0ul, 0ul)]
    [InlineData(500ul, 1000ul, 500ul)]
    [InlineData(9000ul, 1000ul, 999ul)]
    [InlineData(ulong.MaxValue, 1ul, 999ul)]
    public void Permille_HostileFigures_StaysInRange(ulong cpuMs, ulong ageMs, ulong expected) =>
        Assert.Equal(expected, PsText.Permille(new GuestProcess { CpuMs = cpuMs, AgeMs = ageMs }));
}
