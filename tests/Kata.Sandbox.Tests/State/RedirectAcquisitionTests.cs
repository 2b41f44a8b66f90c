using Kata.Netlink;
using Kata.Network;
using Kata.Testing;

namespace Kata.Sandbox.Tests;

/// <summary>Redirections of the running kernel, in a namespace of the test's own, released by what the journal keeps.</summary>
public sealed class RedirectAcquisitionTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly TestNetwork _network = TestNetwork.Create();
    private readonly NetworkNamespace _space;
    private readonly EndpointPlan _plan;

    public RedirectAcquisitionTests()
    {
        Name(_network);
        _space = NetworkNamespace.Open(Path, mountNamespace: null);
        Link link = _network.AddPair("eth0", "peer0");
        _plan = new EndpointPlan(link.Index, link.Name, link.Address, link.Mtu);
        Endpoint.Attach(_space, _plan, queues: 1).Dispose(); // as when the machine was killed
        Assert.True(IsRedirected);
    }

    private string Path => _directory.File("a name");

    private string Value => new RedirectAcquisition(_space, _plan.LinkIndex).Value;

    private bool IsRedirected => _network.Run("tc qdisc show dev eth0").Contains("ingress", StringComparison.Ordinal);

    public void Dispose()
    {
        _space.Dispose();
        _network.Dispose();
        _directory.Dispose();
    }

    [Fact]
    public async Task Release_OfTheJournal_TakesItAwayOnceAndAgain()
    {
        Assert.Equal($"{_space.Inode} {_plan.LinkIndex} {Path}", Value);
        Acquisition read = Acquisition.Of("Redirect", Value);
        await read.ReleaseAsync(TestContext.Current.CancellationToken);
        Assert.False(IsRedirected);
        await read.ReleaseAsync(TestContext.Current.CancellationToken);
        Assert.Contains("eth0", _network.Run("ip link"));
    }

    [Fact]
    public async Task Release_LinkIsGone_DoesNothing()
    {
        _network.Socket.Links.Delete(_plan.LinkIndex);
        await Acquisition.Of("Redirect", Value).ReleaseAsync(TestContext.Current.CancellationToken);
        Assert.Equal(["lo"], _network.Socket.Links.List().Select(static link => link.Name));
    }

    [Fact]
    public async Task Release_NamespaceHasNoNameAnyMore_DoesNothing()
    {
        string value = Value;
        File.Delete(Path);
        await Acquisition.Of("Redirect", value).ReleaseAsync(TestContext.Current.CancellationToken);
        Assert.True(IsRedirected);
        File.WriteAllText(Path, "");
        await Acquisition.Of("Redirect", value).ReleaseAsync(TestContext.Current.CancellationToken);
        Assert.True(IsRedirected);
    }

    // As after the same process id, or the same name, was given to another one.
    [Fact]
    public async Task Release_PathIsOfAnotherNamespace_LeavesThatOneAlone()
    {
        using TestNetwork other = TestNetwork.Create();
        string value = Value.Replace(
            $"{_space.Inode} ", $"{Inode(other)} ", StringComparison.Ordinal); // what the other one's pod had noted
        await Acquisition.Of("Redirect", value).ReleaseAsync(TestContext.Current.CancellationToken);
        Assert.True(IsRedirected);

        value = Value;
        Name(other);
        await Acquisition.Of("Redirect", value).ReleaseAsync(TestContext.Current.CancellationToken);
        Assert.True(IsRedirected);
        Name(_network);
        await Acquisition.Of("Redirect", value).ReleaseAsync(TestContext.Current.CancellationToken);
        Assert.False(IsRedirected);
    }

    [Theory]
    [InlineData("")]
    [InlineData(" ")]
    [InlineData("{inode} {link}")]
    [InlineData("{inode} {link} ")]
    [InlineData("{inode} x {path}")]
    [InlineData("{inode} 0 {path}")]
    [InlineData("{inode} -1 {path}")]
    [InlineData("{inode} 99999999999 {path}")]
    [InlineData("x {link} {path}")]
    [InlineData("-1 {link} {path}")]
    [InlineData("99999999999999999999 {link} {path}")]
    [InlineData("{inode}  {link} {path}")]
    [InlineData("{inode} {link} {path}/x")]
    public async Task Release_ValueThatMakesNoSense_DoesNothing(string value)
    {
        value = value
            .Replace("{inode}", $"{_space.Inode}", StringComparison.Ordinal)
            .Replace("{link}", $"{_plan.LinkIndex}", StringComparison.Ordinal)
            .Replace("{path}", Path, StringComparison.Ordinal);
        await Acquisition.Of("Redirect", value).ReleaseAsync(TestContext.Current.CancellationToken);
        Assert.True(IsRedirected);
    }

    private void Name(TestNetwork network)
    {
        File.Delete(Path);
        File.CreateSymbolicLink(Path, PathOf(network));
    }

    private static ulong Inode(TestNetwork network)
    {
        using NetworkNamespace space = NetworkNamespace.Open(PathOf(network), mountNamespace: null);
        return space.Inode;
    }

    private static string PathOf(TestNetwork network) => $"/proc/self/fd/{network.Handle.DangerousGetHandle()}";
}
