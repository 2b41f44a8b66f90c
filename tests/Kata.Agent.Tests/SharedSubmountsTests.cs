using Kata.Agent.Storage;

namespace Kata.Agent.Tests;

public sealed class SharedSubmountsTests
{
    private static readonly string[] s_mountinfo =
    [
        "1 1 0:2 / / rw - rootfs rootfs rw",
        "25 1 0:5 / /proc rw,nosuid - proc proc rw",
        "30 1 0:25 / /run/share rw,nodev - virtiofs kataShared rw",
        "31 30 0:26 / /run/share/a/rootfs rw - virtiofs kataShared rw",
        "32 30 0:27 / /run/share/a/mounts/5 rw shared:1 - virtiofs kataShared rw",
        "33 1 0:28 / /run/other rw - tmpfs tmpfs rw",
        "34 33 0:29 / /run/other/share rw - virtiofs second rw",
        "malformed",
        "35 30 -",
    ];

    [Fact]
    public void Find_MountsInsideTheShare_AreThoseAskedFor() =>
        Assert.Equal(
            ["/run/share/a/rootfs", "/run/share/a/mounts/5"],
            Find("/run/share/a/rootfs", "/run/share/a/mounts/5", "/run/share/b/rootfs", ""));

    [Fact]
    public void Find_ShareItself_IsNotInsideOne() => Assert.Empty(Find("/run/share", "/run/other/share"));

    [Fact]
    public void Find_MountOfAnotherKind_IsLeftAlone() => Assert.Empty(Find("/proc", "/run/other", "/"));

    [Fact]
    public void Enter_PathsThatAreNoShare_AreNotTheAgentsToUnmount() =>
        Assert.Empty(new SharedSubmounts().Enter(["/", "/proc", "/does/not/exist", "/etc/passwd", ""]));

    [Theory]
    [InlineData("/run/share/3/a", "/run,/run/share,/run/share/3,/run/share/3/a")]
    [InlineData("/run", "/run")]
    [InlineData("", "")]
    public void Prefixes_OfAPath_AreTheWayThere(string path, string expected) =>
        Assert.Equal(expected.Split(','), SharedSubmounts.Prefixes(path));

    private static IReadOnlyList<string> Find(params string[] paths) => SharedSubmounts.Find(s_mountinfo, new HashSet<string>(paths));
}
