using System.Text.RegularExpressions;
using Kata.Runtime.Installing;
using Kata.Testing;

namespace Kata.Runtime.Tests.Installing;

/// <summary>The command on real files: what it writes, what it keeps, and what it says when it cannot.</summary>
[Collection(nameof(ConsoleGroup))]
public sealed partial class InstallCommandTests : IDisposable
{
    private const string Text = "# mine\nversion = 2\n";

    private readonly TemporaryDirectory _directory = new();

    private string ConfigFile => _directory.File("config.toml");

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Install_File_KeepsModeLinkAndCopy()
    {
        await WriteAsync("real.toml", Text);
        File.SetUnixFileMode(_directory.File("real.toml"), UnixFileMode.UserRead | UnixFileMode.UserWrite);
        File.CreateSymbolicLink(ConfigFile, "real.toml");

        CommandRun run = await RunAsync();
        Assert.Equal((0, ""), (run.Status, run.Error));
        Assert.Contains("Next: restart containerd", run.Output, StringComparison.Ordinal);
        Assert.NotNull(new FileInfo(ConfigFile).LinkTarget);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(ConfigFile));
        Assert.StartsWith(Text, await ReadAsync("config.toml"), StringComparison.Ordinal);
        Assert.Equal(Text, await ReadAsync("real.toml" + AtomicFile.BackupSuffix));

        run = await RunAsync();
        Assert.Equal((0, $"Nothing to do: {ConfigFile} is as it should be\n"), (run.Status, run.Output));
        Assert.Contains("Changed ", (await RunAsync("--uninstall")).Output, StringComparison.Ordinal);
        Assert.Equal(Text, await ReadAsync("config.toml"));
        Assert.Equal(3, Directory.GetFileSystemEntries(_directory.Path).Length);
    }

    [Fact]
    public async Task Install_DryRun_PrintsTheChangeAndWritesNothing()
    {
        await WriteAsync("config.toml", Text);
        CommandRun run = await RunAsync("--dry-run");
        Assert.Equal(0, run.Status);
        Assert.Contains("\n+[plugins.\"io.containerd.grpc.v1.cri\".containerd.runtimes.kata]\n", run.Output, StringComparison.Ordinal);
        Assert.Equal(Text, await ReadAsync("config.toml"));
        Assert.Single(Directory.GetFileSystemEntries(_directory.Path));
    }

    [Fact]
    public async Task Install_DirectoryOfContainerd2_GetsAFileOfItsOwn()
    {
        string text = "version = 3\nimports = ['conf.d/*.toml']\n";
        await WriteAsync("config.toml", text);
        Assert.Equal(0, (await RunAsync()).Status);
        Assert.Equal(text, await ReadAsync("config.toml"));
        Assert.StartsWith("# Made by", await ReadAsync("conf.d/" + ContainerdPlanner.DropIn), StringComparison.Ordinal);
        Assert.Contains("Nothing to do", (await RunAsync()).Output, StringComparison.Ordinal);
        Assert.Equal(0, (await RunAsync("--uninstall")).Status);
        Assert.False(File.Exists(_directory.File("conf.d/" + ContainerdPlanner.DropIn)));
    }

    [Theory]
    [InlineData("version = [\n", "it is not TOML in line ")]
    [InlineData("\u0000", "it is not TOML in line 1, column 1")]
    public async Task Install_BrokenFile_IsRefusedAndUntouched(string text, string cause)
    {
        await WriteAsync("config.toml", text);
        CommandRun run = await RunAsync();
        Assert.Equal(1, run.Status);
        Assert.Matches(Form(), run.Error);
        Assert.Contains(cause, run.Error, StringComparison.Ordinal);
        Assert.Equal(text, await ReadAsync("config.toml"));
        Assert.Single(Directory.GetFileSystemEntries(_directory.Path));
    }

    [Theory]
    [InlineData("--runtime-path", "shim", "it is relative")]
    [InlineData("--runtime-path", "/nonexistent/shim", "there is no such file")]
    [InlineData("--config-path", "/nonexistent/x.toml", "there is no such file")]
    [InlineData("--kata-config", "/etc/x.toml", "it could mean two files here")]
    public async Task Install_WrongOption_SaysWhy(string option, string value, string cause)
    {
        CommandRun run = await CommandRun.RuntimeAsync(
            "install", "containerd", "--file", ConfigFile, "--runtime-path", "/bin/true", option, value);
        Assert.Equal(1, run.Status);
        Assert.Contains(option == "--runtime-path" ? "--runtime-path" : cause, run.Error, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(_directory.Path));
    }

    [Fact]
    public async Task Install_FileThatCannotBeRead_SaysSo()
    {
        Directory.CreateDirectory(ConfigFile);
        CommandRun run = await RunAsync();
        Assert.Equal(1, run.Status);
        Assert.Matches(Form(), run.Error);
    }

    [Fact]
    public async Task Install_NoFileButADirectoryOfFiles_IsNotGuessed()
    {
        Directory.CreateDirectory(_directory.File("conf.d"));
        await WriteAsync("conf.d/a.toml", "version = 3\n");
        CommandRun run = await RunAsync();
        Assert.Equal(1, run.Status);
        Assert.Matches(Form(), run.Error);
        Assert.False(File.Exists(ConfigFile));
    }

    [Fact]
    public void Apply_FileThatChangedMeanwhile_IsLeftAlone()
    {
        File.WriteAllText(ConfigFile, "new");
        IOException error = Assert.Throws<IOException>(() => AtomicFile.Apply(new FileChange(ConfigFile, "old", "ours")));
        Assert.Contains("somebody else has changed it", error.Message, StringComparison.Ordinal);
        Assert.Equal("new", File.ReadAllText(ConfigFile));
        Assert.Single(Directory.GetFileSystemEntries(_directory.Path));
    }

    [Theory]
    [InlineData("/proc/sys/kata.toml", "Run it as root")]
    [InlineData("/dev/full/config.toml", "Run it as root")]
    public void Apply_PlaceThatTakesNoFile_SaysWhatToDo(string path, string remedy)
    {
        IOException error = Assert.Throws<IOException>(() => AtomicFile.Apply(new FileChange(path, null, "ours")));
        Assert.Matches(Form(), "kata-runtime: " + error.Message);
        Assert.Contains(remedy, error.Message, StringComparison.Ordinal);
    }

    private Task<CommandRun> RunAsync(params string[] options) =>
        CommandRun.RuntimeAsync(["install", "containerd", "--file", ConfigFile, "--runtime-path", "/bin/true", .. options]);

    private Task WriteAsync(string name, string text) =>
        File.WriteAllTextAsync(_directory.File(name), text, TestContext.Current.CancellationToken);

    private Task<string> ReadAsync(string name) => File.ReadAllTextAsync(_directory.File(name), TestContext.Current.CancellationToken);

    [GeneratedRegex(@"^kata-runtime: Cannot [a-z][^']*'.*'[^':]*: .+[^.]\. [A-Z].*[^. ]$")]
    private static partial Regex Form();
}
