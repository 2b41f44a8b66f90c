using Kata.Integration.Tests.Hypervisor;
using Kata.Linux;

namespace Kata.Integration.Tests.Linux;

public sealed class HostCgroupTests
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(20);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task KillAll_ProcessesThatFork_EndsThemAllAndRemoveLeavesNothing()
    {
        GuestFiles.RequireRoot();
        HostCgroup group = HostCgroup.Create(CgroupLayout.Read(), $"/kata/test-{Environment.ProcessId}");
        Assert.SkipUnless(group.Problem is null, $"needs a control group: {group.Problem}");
        (SafeFileDescriptor ours, SafeFileDescriptor theirs) = UnixSocket.Pair(nonBlocking: false);
        using SafeFileDescriptor end = ours;
        // Waits for us before it forks, so that every child is born inside.
        using ChildProcess child = ChildProcess.Start(new SpawnOptions
        {
            Path = "/bin/sh",
            Arguments = ["sh", "-c", "read go; for i in 1 2 3 4 5; do sleep 1000 & done; echo up; wait"],
            Environment = ["PATH=/bin:/usr/bin"],
            Descriptors = new Dictionary<int, SafeFileDescriptor> { [0] = theirs, [1] = theirs },
        });
        theirs.Dispose();
        group.Join(child.Pid);
        await using var stream = new DescriptorStream(ours.Duplicate());
        await stream.WriteAsync("go\n"u8.ToArray(), Cancellation);
        await stream.ReadExactlyAsync(new byte[3], Cancellation).AsTask().WaitAsync(s_limit, Cancellation);
        Assert.Equal(6, group.Processes().Count);

        HostCgroup again = HostCgroup.Open(CgroupLayout.Read(), group.Directory!);
        await again.KillAllAsync(s_limit, Cancellation);
        await again.RemoveAsync(s_limit, Cancellation);

        Assert.Equal(new ExitStatus(null, Signals.SIGKILL), await child.Exited.WaitAsync(s_limit, Cancellation));
        Assert.False(Directory.Exists(group.Directory));
        await again.RemoveAsync(s_limit, Cancellation); // idempotent
    }
}
