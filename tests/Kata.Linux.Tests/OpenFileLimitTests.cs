using Kata.Linux.Interop;

namespace Kata.Linux.Tests;

public sealed class OpenFileLimitTests
{
    [Fact]
    public void RaiseHard_ForAMoment_LeavesTheLimitsAsTheyWere()
    {
        RLimit before = Read();

        ulong hard;
        using (OpenFileLimit limit = OpenFileLimit.RaiseHard(1_000_000))
        {
            hard = limit.Hard;
            Assert.Equal(before.rlim_cur, Read().rlim_cur);
            Assert.Equal(hard, Read().rlim_max); // raised or not, what is told is what holds
        }

        Assert.Equal(before, Read());
        Assert.True(hard >= Math.Min(before.rlim_max, 1_000_000));
    }

    [Fact]
    public void RaiseHard_LowerThanThere_LowersNothing()
    {
        RLimit before = Read();
        using OpenFileLimit limit = OpenFileLimit.RaiseHard(16);

        Assert.Equal(before.rlim_max, limit.Hard);
        Assert.Equal(before, Read());
    }

    private static RLimit Read()
    {
        LinuxException.ThrowIfNegative(LibC.prlimit(0, LibC.RLIMIT_NOFILE, null, out RLimit limit), "prlimit", "read the limit");
        return limit;
    }
}
