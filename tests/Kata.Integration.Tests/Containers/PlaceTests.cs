using Kata.Integration.Tests.Harness;

namespace Kata.Integration.Tests.Containers;

/// <summary>Where the executable is: a link finds the guest beside its target, a copy what is installed below <c>/usr/local</c>.</summary>
public sealed class PlaceTests(RuntimeFixture runtime) : IClassFixture<RuntimeFixture>
{
    /// <summary>The test's own view of /usr/local/share, as after <c>make install</c>; nothing of it is on the host.</summary>
    private const string Installed =
        "set -e; mount -t tmpfs tmpfs /usr/local/share; mkdir /usr/local/share/kata-containers; "
        + "mount --bind \"$1\" /usr/local/share/kata-containers; shift; exec \"$@\"";

    [Theory]
    [InlineData("cp")]
    [InlineData("ln")]
    public async Task Run_CopyOfTheExecutable_BootsWhatIsInstalled(string copy)
    {
        RuntimeFixture.Require();
        string executable = Path.Combine(runtime.NewDirectory("tools"), "kata-runtime");
        await CopyAsync(copy, executable);
        string id = runtime.NewId();
        string bundle = runtime.NewBundle().Args("echo", "here").Write();

        CommandResult result = await InNamespaceAsync(executable, "run", "--bundle", bundle, id);

        Assert.Equal("here", result.Ok().Text);
    }

    [Fact]
    public async Task Run_Link_BootsTheGuestBesideTheExecutable()
    {
        RuntimeFixture.Require();
        string executable = Path.Combine(runtime.NewDirectory("tools"), "kata-runtime");
        File.CreateSymbolicLink(executable, RuntimeFixture.RuntimePath!);
        string id = runtime.NewId();
        string bundle = runtime.NewBundle().Args("echo", "here").Write();

        using RunningCommand command = RunningCommand.Start(executable, runtime.Globals("run", "--bundle", bundle, id));

        Assert.Equal("here", (await command.FinishAsync(default, RuntimeFixture.Limit)).Ok().Text);
    }

    // What the first that exists is, is also what the list says.
    [Fact]
    public async Task ShowDefaultConfigPaths_OfACopy_ListsItsOwnAndTheInstalledOnes()
    {
        RuntimeFixture.Require();
        string folder = runtime.NewDirectory("tools");
        Directory.CreateDirectory(Path.Combine(folder, "bin"));
        string executable = Path.Combine(folder, "bin", "kata-runtime");
        await CopyAsync("cp", executable);

        using RunningCommand command = RunningCommand.Start(executable, ["--show-default-config-paths"]);
        string[] paths = (await command.FinishAsync(default, RuntimeFixture.Limit)).Ok().Lines;

        Assert.Equal(
            ["/etc", $"{folder}/share/defaults", "/usr/local/share/defaults", "/usr/share/defaults", "/opt/kata/share/defaults"],
            paths.Select(static line => line.Replace("/kata-containers/configuration.toml", "", StringComparison.Ordinal)));
    }

    private static async Task CopyAsync(string program, string executable)
    {
        // A hard link needs the same file system; where it is another, a copy is as good.
        using RunningCommand command = RunningCommand.Start(
            "/bin/sh",
            ["-c", "\"$1\" \"$2\" \"$3\" 2> /dev/null || cp \"$2\" \"$3\"", "sh", program, RuntimeFixture.RuntimePath!, executable]);
        (await command.FinishAsync(default, RuntimeFixture.Limit)).Ok();
    }

    private async Task<CommandResult> InNamespaceAsync(string executable, params string[] arguments)
    {
        string guest = Path.Combine(Path.GetDirectoryName(RuntimeFixture.RuntimePath)!, "../share/kata-containers");
        using RunningCommand command = RunningCommand.Start(
            "unshare",
            ["--mount", "--propagation", "private", "sh", "-c", Installed, "sh", guest, executable, .. runtime.Globals(arguments)]);
        return await command.FinishAsync(default, RuntimeFixture.Limit);
    }
}
