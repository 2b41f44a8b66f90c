namespace Kata.Integration.Tests.Clients;

/// <summary>podman, which needs no daemon.</summary>
public class PodmanFixture : EngineFixture
{
    private const string Podman = "/usr/bin/podman";

    /// <summary>Which networks podman knows.</summary>
    private protected virtual string[] Networks => [];

    private string[] Program => [.. Launcher, Podman];

    private protected override string? EngineProblem => File.Exists(Podman) ? null : "needs podman (Debian: apt-get install podman)";

    // podman has a flag for the runtime's root, and forgets it when it cleans up.
    private protected override string[] RuntimeOptions => ["--root", Root, .. base.RuntimeOptions];

    // It would ask the program to end first, and wait ten seconds.
    private protected override string[] RemoveOptions => ["--force", "--time", "0"];

    private protected override Task RemovePodsAsync() => EngineAsync("pod", "rm", "--all", "--force", "--time", "0");

    internal override (string Program, string[] Arguments) CommandLine(string[] arguments) =>
    (
        Program[0],
        [
            .. Program[1..],
            "--root", Path.Combine(DirectoryPath, "podman"), "--runroot", Path.Combine(DirectoryPath, "podman-run"),
            "--tmpdir", Path.Combine(DirectoryPath, "podman-tmp"), "--storage-driver", "vfs", "--cgroup-manager", "cgroupfs",
            "--events-backend", "file", "--runtime", RuntimeScript, .. Networks, .. arguments,
        ]);
}
