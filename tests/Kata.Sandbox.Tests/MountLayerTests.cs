using Kata.Linux;
using Kata.Storage;
using GuestMount = Kata.Agent.Protocol.Oci.Mount;

namespace Kata.Sandbox.Tests;

public sealed class MountLayerTests
{
    [Theory]
    [InlineData("", true, false, "rbind,ro", "/m", "rbind,ro")]
    [InlineData("", false, true, "rbind", "/m", "rbind,ro")] // the host's own mount is read-only
    [InlineData("", false, false, "rbind,rslave", "/m", "rbind,rslave")]
    [InlineData("a/b", true, false, "rbind,ro,nosuid", "/m/a/b", "bind")] // what is not asked for recursively stays with the upper mount
    [InlineData("a/b", true, false, "rbind,rro,rnosuid,rslave,relatime", "/m/a/b", "bind,ro,nosuid")]
    [InlineData("a/b", false, true, "rbind", "/m/a/b", "bind,ro")]
    public void ToGuest_HostMount_HasTheOptionsThatApplyToIt(
        string place, bool readOnly, bool hostReadOnly, string options, string destination, string expected)
    {
        var mount = new GuestMount { Destination = "/link", Type = "bind", Options = { options.Split(',') } };
        var layer = MountLayer.OfHost(mount, readOnly, "/m", Source(place, hostReadOnly));

        GuestMount guest = Assert.Single(layer.ToGuest(Place("3/x")));

        Assert.Equal((destination, "bind", "/run/kata-containers/shared/containers/3/x"), (guest.Destination, guest.Type, guest.Source));
        Assert.Equal(expected.Split(','), guest.Options);
        Assert.Equal(expected.Contains("ro", StringComparison.Ordinal), layer.ReadOnly);
        Assert.Equal("/link", mount.Destination);
    }

    [Theory]
    [InlineData("/", "ro", "/sub")]
    [InlineData("/m", "rw", "/m/sub")]
    public void ToGuest_SharedBeforeInsideOfIt_IsMountedAgain(string destination, string mode, string expected)
    {
        SharedPlace place = Place("3");
        place.AddWithin("sub", Place("1"));
        var layer = MountLayer.OfHost(new GuestMount { Options = { "bind", mode } }, mode == "ro", destination, Source("", false));

        GuestMount within = layer.ToGuest(place).Last();

        Assert.Equal((expected, "/run/kata-containers/shared/containers/1"), (within.Destination, within.Source));
        Assert.Equal(mode == "ro" ? ["bind", "ro"] : ["bind"], within.Options);
    }

    private static HostSource Source(string place, bool readOnly) =>
        new(
            DetachedMount.From(new SafeFileDescriptor()), new SourceKey("8:1", "/x"), new FileStatus(0x4000, 0, 0, 0, 1, 1), readOnly,
            place);

    private static SharedPlace Place(string path) =>
        new(new SharedSource(path, Source("", false)), new SourceKey("8:1", "/x"), path, writable: true);
}
