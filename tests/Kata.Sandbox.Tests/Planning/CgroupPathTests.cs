using Kata.Oci;

namespace Kata.Sandbox.Tests;

public sealed class CgroupPathTests
{
    [Theory]
    [InlineData(null, "/kata/pod@1")]
    [InlineData("", "/kata/pod@1")]
    [InlineData("/docker/abc", "/docker/abc/kata_pod@1")]
    [InlineData("//docker//abc/", "/docker/abc/kata_pod@1")]
    [InlineData("/", "/kata_pod@1")]
    [InlineData("mine/abc", "/kata/mine/abc/kata_pod@1")]
    [InlineData("machine.slice:libpod:abc", "/machine.slice/libpod-abc.scope/kata_pod@1")]
    [InlineData(
        "kubepods-burstable-pod1.slice:cri-containerd:abc",
        "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1.slice/cri-containerd-abc.scope/kata_pod@1")]
    [InlineData(":docker:abc", "/system.slice/docker-abc.scope/kata_pod@1")]
    [InlineData("-.slice::abc", "/abc.scope/kata_pod@1")]
    [InlineData("a.slice:x:b.slice", "/a.slice/b.slice/kata_pod@1")]
    public void Of_Requested_IsAGroupOfThePodsOwnBelow(string? requested, string expected) =>
        Assert.Equal(expected, CgroupPath.Of(requested, "/kata/pod@1", inRequested: true));

    [Theory]
    [InlineData(null, "/kata_overhead/kata_pod")]
    [InlineData("/kubepods/pod1/abc", "/kata_overhead/kubepods/pod1/abc/kata_pod")]
    [InlineData("a-b.slice:p:n", "/kata_overhead/a.slice/a-b.slice/p-n.scope/kata_pod")]
    public void Of_OutsideTheRequested_IsBelowTheOverhead(string? requested, string expected) =>
        Assert.Equal(expected, CgroupPath.Of(requested, "/kata/pod", inRequested: false));

    [Theory]
    [InlineData("/a/../../b", "holds '/a/../../b', which leads elsewhere")]
    [InlineData("../b", "holds '../b', which leads elsewhere")]
    [InlineData("a:b:c", "names the slice 'a'")]
    [InlineData("a/b.slice:b:c", "names the slice 'a/b.slice'")]
    [InlineData("a--b.slice:b:c", "names the slice 'a--b.slice'")]
    [InlineData("a.slice:../..:c", "leads elsewhere")]
    public void Of_ImpossiblePath_IsRefused(string requested, string cause)
    {
        InvalidSpecException error = Assert.Throws<InvalidSpecException>(() => CgroupPath.Of(requested, "/kata/pod", inRequested: true));
        Assert.Equal("/linux/cgroupsPath", error.Field);
        Assert.Contains(cause, error.Message);
    }
}
