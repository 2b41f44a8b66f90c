using System.Diagnostics;
using Kata.Linux.Interop;

namespace Kata.Linux.Tests;

/// <summary>Alone, as it takes the whole process's descriptors away for a moment.</summary>
[CollectionDefinition(nameof(ChildProcessTests), DisableParallelization = true)]
[Collection(nameof(ChildProcessTests))]
public sealed class ChildProcessTests
{
    [Fact]
    public void Adopt_NoDescriptorIsLeft_EndsTheChildAndSaysSo()
    {
        using var spawn = PreparedSpawn.Prepare(new SpawnOptions { Path = "/bin/sleep", Arguments = ["sleep", "1000"], Environment = [] });
        int pid = spawn.Launch();
        LinuxException.ThrowIfNegative(LibC.prlimit(0, LibC.RLIMIT_NOFILE, null, out RLimit before), "prlimit", "read the limit");
        LinuxException error;
        try
        {
            Limit(before with { rlim_cur = 0 }); // those that are open stay
            error = Assert.Throws<LinuxException>(() => ChildProcess.Adopt(pid));
        }
        finally
        {
            Limit(before);
        }

        Assert.Equal((Errno.EMFILE, "pidfd_open"), (error.Errno, error.Call));
        Assert.Throws<ArgumentException>(() => Process.GetProcessById(pid)); // neither alive nor waited for by nobody
    }

    private static void Limit(RLimit limit) =>
        LinuxException.ThrowIfNegative(LibC.prlimit(0, LibC.RLIMIT_NOFILE, limit, out _), "prlimit", "set the limit");
}
