using Kata.Oci;

namespace Kata.Sandbox.Tests;

public sealed class CpuListTests
{
    [Theory]
    [InlineData(null, 0)]
    [InlineData("", 0)]
    [InlineData("0", 1)]
    [InlineData("0-2,4", 4)]
    [InlineData("1-3,0-2", 4)]
    [InlineData("0-9,2-3,5", 10)]
    [InlineData(" 5 , 5,", 1)]
    [InlineData("65535", 1)]
    public void Count_EachOnce(string? list, int expected) => Assert.Equal(expected, CpuList.Count("/cpus", list));

    [Theory]
    [InlineData("2-1")]
    [InlineData("65536")]
    [InlineData("-1")]
    [InlineData("1-2-3")]
    [InlineData("a")]
    public void Count_NoList_IsRefused(string list) =>
        Assert.Contains("'" + list + "'", Assert.Throws<InvalidSpecException>(() => CpuList.Count("/cpus", list)).Message);

    [Fact]
    // The list is a caller's: what it says once and for all processors it may say a hundred thousand times.
    public async Task Count_ManyRanges_TakesNoTime()
    {
        string list = string.Concat(Enumerable.Repeat("0-65535,", 100_000));
        Task<int> count = Task.Run(() => CpuList.Count("/cpus", list), TestContext.Current.CancellationToken);
        Assert.Equal(65_536, await count.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken));
    }
}
