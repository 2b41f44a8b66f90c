using System.Text.Json.Nodes;
using Kata.Oci;
using Kata.Runtime.Commands;
using Kata.Testing;

namespace Kata.Runtime.Tests;

[Collection(nameof(ConsoleGroup))]
public sealed class SpecCommandTests
{
    private const string Runc = "/usr/sbin/runc";

    [Fact]
    public async Task Spec_InAnEmptyDirectory_WritesAValidDocumentForItsOwnerAndGroup()
    {
        using var directory = new TemporaryDirectory();
        Assert.Equal(new CommandRun(0, "", ""), await CommandRun.RuntimeAsync("spec", "--bundle", directory.Path));
        Directory.CreateDirectory(directory.File("rootfs"));
        Bundle bundle = Bundle.Load(directory.Path);
        Assert.Empty(bundle.Warnings);
        Assert.Equal(["sh"], bundle.Spec.Process!.Args);
        Assert.Equal(
            UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead, File.GetUnixFileMode(directory.File("config.json")));
    }

    [Fact]
    public async Task Spec_WhereOneIs_LeavesItAlone()
    {
        using var directory = new TemporaryDirectory();
        await File.WriteAllTextAsync(directory.File("config.json"), "mine", TestContext.Current.CancellationToken);
        CommandRun run = await CommandRun.RuntimeAsync("spec", "-b", directory.Path);
        Assert.Equal(1, run.Status);
        Assert.Contains("there is one already", run.Error, StringComparison.Ordinal);
        Assert.Equal("mine", await File.ReadAllTextAsync(directory.File("config.json"), TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Spec_HasRuncsMeaning()
    {
        Assert.SkipUnless(File.Exists(Runc), $"needs {Runc}");
        using var directory = new TemporaryDirectory();
        CommandRun run = await CommandRun.HostAsync(Runc, directory.Path, "spec");
        Assert.Equal(0, run.Status);
        JsonObject theirs =
            JsonNode.Parse(await File.ReadAllTextAsync(directory.File("config.json"), TestContext.Current.CancellationToken))!.AsObject();
        JsonObject ours = JsonNode.Parse(SpecCommand.Text())!.AsObject();
        Assert.StartsWith("1.0.2", theirs["ociVersion"]!.GetValue<string>(), StringComparison.Ordinal);
        foreach (JsonObject document in new[] { theirs, ours })
        {
            document["ociVersion"] = "";
            document["hostname"] = ""; // theirs is 'runc', Kata's has always been 'kata'
        }

        Assert.True(JsonNode.DeepEquals(theirs, ours), $"runc: {theirs}\nours: {ours}");
    }
}
