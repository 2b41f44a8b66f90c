using Kata.Oci;

namespace Kata.Sandbox.Tests.Planning;

public class PodSettingsTests
{
    private const string Files = "/run/kata/pod/files";

    private static readonly SandboxId s_pod = SandboxId.Parse("p1");
    private static readonly LinuxNamespace s_podIpc = new() { Type = "ipc", Path = "/proc/7/ns/ipc" };

    [Fact]
    public void Complete_BareSpec_GetsThePodsFilesMemoryAndSysctls()
    {
        var settings = new PodSettings
        {
            Id = s_pod,
            Sysctls = new Dictionary<string, string> { ["net.core.somaxconn"] = "7", ["kernel.sem"] = "1" },
        };

        RuntimeSpec spec = settings.Complete(
            Spec([], new LinuxSpec { Namespaces = [s_podIpc], Sysctl = new Dictionary<string, string> { ["kernel.sem"] = "own" } }), Files);

        Assert.Equal(
            [
                ("/etc/hostname", $"{Files}/hostname"), ("/etc/hosts", $"{Files}/hosts"),
                ("/etc/resolv.conf", $"{Files}/resolv.conf"), ("/dev/shm", $"{Files}/shm"),
            ],
            spec.Mounts!.Select(static mount => (mount.Destination, mount.Source!)));
        Assert.Equal("7", spec.Linux!.Sysctl!["net.core.somaxconn"]);
        Assert.Equal("own", spec.Linux.Sysctl["kernel.sem"]);
    }

    [Fact]
    public void Complete_WhatTheEngineMountsItself_Stays()
    {
        MountSpec[] own =
        [
            new() { Destination = "/etc/hosts", Type = "bind", Source = "/kubelet/hosts" },
            new() { Destination = "/dev/shm", Type = "bind", Source = "/dev/shm" },
        ];

        RuntimeSpec spec = new PodSettings { Id = s_pod }.Complete(Spec(own, new LinuxSpec { Namespaces = [s_podIpc] }), Files);

        Assert.Equal("/kubelet/hosts", Assert.Single(spec.Mounts!, static mount => mount.Destination == "/etc/hosts").Source);
        Assert.Equal("/dev/shm", Assert.Single(spec.Mounts!, static mount => mount.Destination == "/dev/shm").Source);
    }

    [Theory]
    [InlineData("/etc/hosts", "hosts")]
    [InlineData("/etc/resolv.conf", "resolv.conf")]
    [InlineData("/dev/shm", "shm")]
    public void Complete_WhatTheEngineWouldHaveForAPodWithAContainer_IsThePods(string destination, string name)
    {
        MountSpec own = new() { Destination = destination, Type = "bind", Source = $"/state/sandboxes/{s_pod}/{name}" };

        RuntimeSpec spec = new PodSettings { Id = s_pod }.Complete(Spec([own], new LinuxSpec { Namespaces = [s_podIpc] }), Files);

        Assert.Equal($"{Files}/{name}", Assert.Single(spec.Mounts!, mount => mount.Destination == destination).Source);
    }

    [Theory]
    [InlineData("tmpfs", true, "bind")] // the engine's default for single containers gives way
    [InlineData("tmpfs", false, "tmpfs")] // a container with memory of its own keeps it
    public void Complete_SharedMemory_FollowsTheIpcNamespace(string type, bool joins, string expected)
    {
        MountSpec own = new() { Destination = "/dev/shm", Type = type, Source = "shm" };

        RuntimeSpec spec = new PodSettings { Id = s_pod }.Complete(
            Spec([own], new LinuxSpec { Namespaces = [joins ? s_podIpc : new LinuxNamespace { Type = "ipc" }] }), Files);

        Assert.Equal(expected, Assert.Single(spec.Mounts!, static mount => mount.Destination == "/dev/shm").Type);
    }

    [Theory]
    [InlineData(true, "ro")]
    [InlineData(false, "rw")]
    public void Complete_Files_AreAsWritableAsTheRoot(bool readOnly, string option)
    {
        RuntimeSpec spec = Spec([], new LinuxSpec()) with { Root = new RootSpec { Path = "rootfs", Readonly = readOnly } };

        Assert.All(new PodSettings { Id = s_pod }.Complete(spec, Files).Mounts!, mount => Assert.Contains(option, mount.Options!));
    }

    [Fact]
    public void Files_WithoutWishes_AreTheHosts()
    {
        IReadOnlyList<GuestFile> files = new PodSettings { Id = s_pod }.Files(
            Files, "node", "127.0.0.1 localhost\n", "nameserver 1.1.1.1\n");

        Assert.Equal(["node\n", "127.0.0.1 localhost\n", "nameserver 1.1.1.1\n"], files.Select(static file => file.Text));
        Assert.Equal(
            new PodSettings { Id = s_pod }.Complete(Spec([], new LinuxSpec()), Files).Mounts!.Select(static mount => mount.Source),
            files.Select(static file => file.Source));
    }

    [Fact]
    public void Files_OfAPodWithNames_AreItsOwn()
    {
        IReadOnlyList<GuestFile> files =
            new PodSettings { Id = s_pod, Hostname = "web", ResolverLines = ["search a b", "nameserver 10.0.0.53"] }.Files(
                Files, "node", "", "nameserver 1.1.1.1\n");

        Assert.Equal(["web\n", "", "search a b\nnameserver 10.0.0.53\n"], files.Select(static file => file.Text));
    }

    private static RuntimeSpec Spec(MountSpec[] mounts, LinuxSpec linux) => new() { OciVersion = "1.0.2", Mounts = mounts, Linux = linux };
}
