using Kata.Agent.Storage;

namespace Kata.Agent.Tests;

public sealed class MountHoldersTests : IDisposable
{
    private const string Own =
        "1 1 0:2 / / rw - rootfs rootfs rw\n40 1 254:0 / /mnt/data rw - ext4 /dev/vda rw\n"
        + "41 1 254:16 / /mnt/my\\040disk rw - xfs /dev/vdb rw";

    private readonly FakeProc _proc = new();
    private readonly MountHolders _holders;

    public MountHoldersTests()
    {
        _holders = new MountHolders(_proc.Path);
        _proc.Add("self", 1, Own);
        _proc.Add("1", 1, Own);
        _proc.Add("5", 1, Own); // another process of the agent's namespace
    }

    public void Dispose() => _proc.Dispose();

    [Fact]
    public void FindOther_NobodyHasIt_IsNull()
    {
        _proc.Add("9", 2, "90 80 254:1 / /data rw - ext4 /dev/vda1 rw\nmalformed");
        Directory.CreateDirectory($"{_proc.Path}/10"); // ended meanwhile
        Directory.CreateDirectory($"{_proc.Path}/sys");
        Assert.Null(_holders.FindOther("/mnt/data"));
        Assert.Null(_holders.FindOther("/mnt/nothing"));
    }

    [Theory]
    [InlineData("0::/kata/web", "the container 'web'")]
    [InlineData("0::/kata/web/inner", "the container 'web'")]
    [InlineData("0::/agent", "the process 9")]
    [InlineData("", "the process 9")]
    public void FindOther_AnotherNamespaceHasIt_SaysWho(string cgroup, string expected)
    {
        _proc.Add("9", 2, "90 80 254:16 /sub /data rw - xfs /dev/vdb rw", cgroup);
        Assert.Equal(expected, _holders.FindOther("/mnt/my disk"));
        Assert.Null(_holders.FindOther("/mnt/data"));
    }
}
