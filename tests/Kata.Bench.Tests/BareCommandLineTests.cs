using Kata.Bench.Networks;

namespace Kata.Bench.Tests;

/// <summary>What of a pod's machine is also its rival's.</summary>
public sealed class BareCommandLineTests
{
    private const string Bridge = """{"driver":"pci-bridge","id":"hotplug","bus":"pcie.0","addr":"0x1e","chassis_nr":1,"shpc":true}""";

    private const string Card =
        """{"driver":"virtio-net-pci","id":"net1","netdev":"net1-tap","mac":"02:00:00:00:00:01","mq":true,"bus":"hotplug","addr":"0x1"}""";

    [Fact]
    public void Of_Pod_HasItsBoardAndCardOnAnotherTap()
    {
        IReadOnlyList<string> bare = BareCommandLine.Of(Pod("tap,id=net1-tap,fds=7:8,vhost=on,vhostfds=9:10"), "tap9", "02:00:00:00:00:99");

        Assert.Equal(
            [
                "-machine", "q35,memory-backend=mem0", "-accel", "tcg", "-cpu", "Nehalem", "-smp", "2", "-m", "size=2048M",
                "-object", "memory-backend-memfd,id=mem0,size=2048M", "-rtc", "base=utc", "-append", "console=ttyS0 quiet",
                "-device", Bridge,
                "-netdev", "tap,id=bare,ifname=tap9,script=no,downscript=no,vhost=on,queues=2",
                "-device", Card.Replace("net1-tap", "bare", StringComparison.Ordinal)
                    .Replace("02:00:00:00:00:01", "02:00:00:00:00:99", StringComparison.Ordinal),
            ],
            bare);
    }

    [Theory]
    [InlineData("tap,id=net1-tap,fd=7", 1)]
    [InlineData("tap,id=net1-tap,fds=7:8:9", 3)]
    [InlineData("tap,id=net1-tap,fds=7:8,vhost=on,vhostfds=9:10", 2)]
    public void QueuesOf_Pod_AreItsTaps(string netdev, int queues) => Assert.Equal(queues, BareCommandLine.QueuesOf(Pod(netdev)));

    [Fact]
    public void Of_OneQueueWithoutVhost_AsksForNeither() => Assert.Contains(
        "tap,id=bare,ifname=tap9,script=no,downscript=no",
        BareCommandLine.Of(Pod("tap,id=net1-tap,fd=7"), "tap9", "02:00:00:00:00:99"));

    [Fact]
    public void Of_PodWithoutCard_IsRefused() =>
        Assert.Throws<InvalidDataException>(() => BareCommandLine.Of([.. Pod("tap,fd=7").SkipLast(2)], "tap9", "02:00:00:00:00:99"));

    private static string[] Pod(string netdev) =>
    [
        "qemu", "-name", "guest=sandbox-a", "-S", "-machine", "q35,memory-backend=mem0", "-accel", "tcg", "-cpu", "Nehalem", "-smp", "2",
        "-m", "size=2048M", "-object", "memory-backend-memfd,id=mem0,size=2048M", "-rtc", "base=utc", "-append", "console=ttyS0 quiet",
        "-device", "pvpanic-pci", "-device", Bridge, "-object", """{"qom-type":"rng-builtin","id":"random-source"}""",
        "-netdev", netdev, "-device", Card,
    ];
}
