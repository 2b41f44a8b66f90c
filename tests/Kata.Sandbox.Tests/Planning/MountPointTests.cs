namespace Kata.Sandbox.Tests;

public sealed class MountPointTests
{
    [Fact]
    public void InRootFs_PathsBelowOtherMounts_AreLeftOut()
    {
        IReadOnlyList<MountPoint> points = MountPoint.InRootFs(
        [
            ("/proc", true), ("/dev", true), ("/dev/pts", true), ("/etc/hosts", false), ("/device", true), ("/sys/", true),
            ("/sys/fs/cgroup", true),
        ]);

        Assert.Equal(
            [new("/proc", true), new("/dev", true), new("/etc/hosts", false), new("/device", true), new MountPoint("/sys", true)], points);
    }
}
