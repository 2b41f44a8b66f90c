using Kata.Linux;
using Kata.Oci;

namespace Kata.Sandbox.Tests;

public sealed class MountIdMappingTests
{
    private const string Linux =
        """
        {"uidMappings":[{"containerID":0,"hostID":100,"size":1},{"containerID":1,"hostID":201,"size":9}],
         "gidMappings":[{"containerID":0,"hostID":300,"size":10}]}
        """;

    [Theory]
    [InlineData("idmap", "0 100 1\n1 201 9\n", "0 300 10\n")]
    [InlineData("ridmap", "0 100 1\n1 201 9\n", "0 300 10\n")]
    [InlineData("idmap=uids=0-1000-1#1-2000-10;gids=0-5-6", "0 1000 1\n1 2000 10\n", "0 5 6\n")]
    [InlineData("idmap=gids=@1-3-2;uids=@1-3-2", "1 203 2\n", "1 303 2\n")]
    [InlineData("ridmap=uids=@0-50-1;gids=0-50-1", "0 50 1\n", "0 50 1\n")]
    public void Of_Option_IsTheMapOfTheKernel(string option, string users, string groups) =>
        Assert.Equal(new MountIdMap(users, groups), Of($$"""{"destination":"/m","source":"/x","options":["bind","{{option}}"]}"""));

    [Fact]
    public void Of_Lists_AreTheMapOfTheKernel() => Assert.Equal(new MountIdMap("0 5 6\n7 8 9\n", "1 2 3\n"), Of(
        """
        {"destination":"/m","source":"/x","options":["rbind"],
         "uidMappings":[{"containerID":0,"hostID":5,"size":6},{"containerID":7,"hostID":8,"size":9}],
         "gidMappings":[{"containerID":1,"hostID":2,"size":3}]}
        """));

    [Theory]
    [InlineData("idmap=uids=0-1;gids=0-1-1")]
    [InlineData("idmap=uids=0-1-0;gids=0-1-1")]
    [InlineData("idmap=uids=0-1-1")]
    [InlineData("idmap=nonsense")]
    public void Of_MalformedOption_IsRefused(string option) =>
        Assert.Throws<InvalidSpecException>(() => Of($$"""{"destination":"/m","source":"/x","options":["bind","{{option}}"]}"""));

    [Theory]
    [InlineData("""{"destination":"/m","source":"/x","options":["bind"],"gidMappings":[{"containerID":0,"hostID":1,"size":1}]}""")]
    [InlineData("""{"destination":"/m","type":"tmpfs","options":["idmap"]}""")]
    public void Of_HalfAMapOrNoBindMount_IsRefused(string mount) => Assert.Throws<InvalidSpecException>(() => Of(mount));

    [Fact]
    public void Of_MountWithoutMapping_IsNull() => Assert.Null(Of("""{"destination":"/m","source":"/x","options":["bind"]}"""));

    private static MountIdMap? Of(string mount)
    {
        string spec = $$"""{"ociVersion":"1.2.0","mounts":[{{mount}}],"linux":{{Linux}}}""";
        return MountIdMapping.Of(OciJson.ParseSpec(System.Text.Encoding.UTF8.GetBytes(spec)), 0);
    }
}
