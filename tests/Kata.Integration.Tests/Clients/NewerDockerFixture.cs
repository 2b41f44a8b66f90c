using Kata.Integration.Tests.Harness;

namespace Kata.Integration.Tests.Clients;

/// <summary>dockerd of Debian 13 with its containerd: it takes a shim's name for a runtime, which that of Debian 12 does not yet.</summary>
public class NewerDockerFixture : DockerFixture
{
    /// <summary>Where the shim keeps its state: docker's namespace of containerd has one name.</summary>
    internal const string ShimRoot = "/run/kata/@moby";

    private string _programs = "";

    /// <summary>Why it cannot be had here, or null.</summary>
    private string? Missing { get; set; }

    private protected override string? EngineProblem => Missing ?? base.EngineProblem;

    private protected override string Dockerd => Path.Combine(_programs, "sbin/dockerd");

    private protected override string Containerd => Path.Combine(_programs, "bin/containerd");

    private protected override async Task PrepareAsync()
    {
        (string folder, Missing) = await DebianSuite.GetAsync(
            "trixie",
            "docker.io",
            ["docker.io", "containerd", "libc6", "libseccomp2", "libsystemd0", "libcap2"],
            ["usr/sbin/dockerd", "usr/bin/containerd"]);
        _programs = Path.Combine(folder, "usr");
        await base.PrepareAsync();
    }
}
