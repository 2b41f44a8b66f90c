using Grpc.Core;
using Kata.Agent.Containers;
using Kata.Agent.Protocol;
using Kata.Agent.Protocol.Oci;

namespace Kata.Agent.Tests;

public sealed class UserDatabaseTests
{
    private const string Passwd = "root:x:0:0:root:/root:/bin/sh\n"
        + "# comment\nbroken\n::::\nguest:x:405:100:guest:/:/bin/sh\r\n77:x:78:79::/:/bin/sh\nneg:x:-1:0::/:\n";
    private const string Group = "root:x:0:\nusers:x:100:\nwheel:x:10:root,guest\naudio:x:29:guest\nbroken:x\n";

    [Theory]
    [InlineData("guest", "", 405u, 100u, "10,29")]
    [InlineData("405", "", 405u, 100u, "10,29")]
    [InlineData("1000", "", 1000u, 0u, "")]
    [InlineData("77", "", 78u, 79u, "")]
    [InlineData("guest", "wheel", 405u, 10u, "")]
    [InlineData("guest", "5000", 405u, 5000u, "")]
    [InlineData("", "users", 0u, 100u, "")]
    [InlineData("", "", 0u, 0u, "10")]
    public void Resolve_NamesAndNumbers_FollowRunc(string uid, string gid, uint expectedUid, uint expectedGid, string groups)
    {
        User user = new UserDatabase(Passwd, Group).Resolve(new StringUser { Uid = uid, Gid = gid });
        Assert.Equal((expectedUid, expectedGid), (user.UID, user.GID));
        Assert.Equal(groups, string.Join(',', user.AdditionalGids));
    }

    [Theory]
    [InlineData(0u, "/root")]
    [InlineData(405u, "/")]
    [InlineData(78u, "/")]
    [InlineData(4242u, "/")]
    [InlineData(uint.MaxValue, "/")]
    [InlineData(90u, "/")]
    public void HomeOf_Numbers_AreThoseOfThePasswd(uint uid, string expected) =>
        Assert.Equal(expected, new UserDatabase(Passwd + "empty:x:90:90:::/bin/sh\nroot2:x:0:0::/other:\n", Group).HomeOf(uid));

    [Theory]
    [InlineData("nobody9", "", "unable to find user nobody9: no matching entries in passwd file")]
    [InlineData("-1", "", "unable to find user -1: no matching entries in passwd file")]
    [InlineData("4294967295", "", "unable to find user 4294967295: no matching entries in passwd file")]
    [InlineData("root", "nogroup9", "unable to find group nogroup9: no matching entries in group file")]
    public void Resolve_Unknown_SaysRuncsWords(string uid, string gid, string expected)
    {
        var error = Assert.Throws<RpcException>(() => new UserDatabase(Passwd, Group).Resolve(new StringUser { Uid = uid, Gid = gid }));
        Assert.Equal(expected, error.Status.Detail);
    }

    [Fact]
    public void Resolve_AdditionalGroups_ByNameAndNumberOnce()
    {
        var request = new StringUser { Uid = "root", Gid = "root" };
        request.AdditionalGids.Add(["wheel", "10", "4242"]);
        Assert.Equal([10u, 4242u], new UserDatabase(Passwd, Group).Resolve(request).AdditionalGids);
    }
}
