namespace Kata.Linux.Tests;

public sealed class ResourceLimitsTests
{
    [Fact]
    public void Read_EveryLimit_IsAsTheKernelShowsIt()
    {
        IReadOnlyList<ResourceLimit> limits = ResourceLimits.Read();
        Assert.Equal(16, limits.Select(static limit => limit.Type).Distinct().Count());
        string[] shown = File.ReadLines("/proc/self/limits")
            .Single(static line => line.StartsWith("Max open files", StringComparison.Ordinal))
            .Split(' ', StringSplitOptions.RemoveEmptyEntries);
        ResourceLimit files = limits.Single(static limit => limit.Type == ResourceLimits.OpenFiles);
        Assert.Equal((shown[3], shown[4]), ($"{files.Soft}", $"{files.Hard}"));
    }

    [Fact]
    public void Parse_WhatFormatWrote_IsTheSame() =>
        Assert.Equal(ResourceLimits.Read(), ResourceLimits.Parse(ResourceLimits.Format(ResourceLimits.Read())));

    [Theory]
    [InlineData("RLIMIT_NOFILE")]
    [InlineData("RLIMIT_NOFILE=1")]
    [InlineData("RLIMIT_NOFILE=1:x")]
    [InlineData("RLIMIT_NOFILE=-1:1")]
    [InlineData("RLIMIT_OTHER=1:1")]
    [InlineData("=1:1")]
    public void Parse_BadText_Throws(string text) => Assert.Throws<FormatException>(() => ResourceLimits.Parse(text));

    [Fact]
    public void RaiseHard_AllowedAlreadyOrUnknown_ChangesNothing()
    {
        IReadOnlyList<ResourceLimit> before = ResourceLimits.Read();
        ResourceLimits.RaiseHard(ResourceLimits.OpenFiles, 1);
        ResourceLimits.RaiseHard("RLIMIT_OTHER", ulong.MaxValue);
        Assert.Equal(before, ResourceLimits.Read());
    }
}
