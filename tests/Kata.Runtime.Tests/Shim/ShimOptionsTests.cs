using Kata.Oci;
using Kata.Runtime.Shim;

namespace Kata.Runtime.Tests.Shim;

public sealed class ShimOptionsTests
{
    [Fact]
    public void Parse_AsContainerdCalls_ReadsEveryFlag()
    {
        string[] arguments =
        [
            "-namespace", "k8s.io", "-address", "/a.sock", "--publish-binary=/usr/bin/containerd", "-id", "c1", "-bundle", "/b", "-socket",
            "/s", "-debug", "start",
        ];
        Assert.Equal(
            new ShimOptions
            {
                Namespace = "k8s.io",
                Address = "/a.sock",
                PublishBinary = "/usr/bin/containerd",
                Id = "c1",
                Bundle = "/b",
                Debug = true,
                Action = "start",
            },
            ShimOptions.Parse(arguments));
    }

    [Theory]
    [InlineData("is unknown", "-frob", "start")]
    [InlineData("its value is missing", "-id")]
    public void Parse_WrongFlag_SaysWhich(string expected, params string[] arguments) =>
        Assert.Contains(expected, Assert.Throws<ArgumentException>(() => ShimOptions.Parse(arguments)).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData(null, "unix:///s")]
    [InlineData("2", "unix:///s")]
    [InlineData("x", "unix:///s")]
    [InlineData("3", """{"version":3,"address":"unix:///s","protocol":"ttrpc"}""")]
    [InlineData("4", """{"version":3,"address":"unix:///s","protocol":"ttrpc"}""")]
    public void Answer_IsInTheFormThatContainerdKnows(string? newest, string expected) =>
        Assert.Equal(expected, ShimStart.Answer("unix:///s", newest));

    [Fact]
    public void Socket_DependsOnContainerdNamespaceAndPodAlone()
    {
        var options = new ShimOptions { Address = "/run/containerd/containerd.sock", Namespace = "k8s.io", Id = "c1" };
        SandboxId pod = SandboxId.Parse("pod");
        Assert.Equal(ShimPaths.Socket(options, pod), ShimPaths.Socket(options with { Id = "c2" }, pod));
        Assert.NotEqual(ShimPaths.Socket(options, pod), ShimPaths.Socket(options with { Namespace = "moby" }, pod));
        Assert.Matches("^/run/containerd/s/[0-9a-f]{64}$", ShimPaths.Socket(options, pod));
    }
}
