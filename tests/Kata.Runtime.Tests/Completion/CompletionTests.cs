using Kata.Runtime.Completion;
using Kata.Testing;

namespace Kata.Runtime.Tests;

/// <summary>The scripts in the real shells. A program of the name stands in for kata-runtime and lists two containers.</summary>
[Collection(nameof(ConsoleGroup))]
public sealed class CompletionTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly CompletionModel _model = new(CommandLine.Build(out _));

    public CompletionTests()
    {
        File.WriteAllText(
            Program,
            "#!/bin/sh\ncase \"$*\" in\n  'list --quiet') echo web; echo db ;;\n  '--root /r list --quiet') echo other ;;\nesac\n");
        File.SetUnixFileMode(Program, UnixFileMode.UserRead | UnixFileMode.UserExecute);
    }

    private string Program => _directory.File("kata-runtime");

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData("cr", "create")]
    [InlineData("k", "kill|kata-env|kata-check")]
    [InlineData("config ", "show|validate")]
    [InlineData("config show --or", "--origin")]
    [InlineData("create --bun", "--bundle")]
    [InlineData("--log-format ", "json|text")]
    [InlineData("list --format ", "json|table")]
    [InlineData("list --format t", "table")]
    [InlineData("list --format = t", "table")] // how bash splits --format=t
    [InlineData("start ", "web|db")]
    [InlineData("start web ", "web|db")]
    [InlineData("start web db ", "web|db")]
    [InlineData("delete --force w", "web")]
    [InlineData("state d", "db")]
    [InlineData("--root /r state ", "other")]
    [InlineData("state --root /r ", "other")]
    [InlineData("exec -u 0 ", "web|db")]
    [InlineData("kill web SIGTE", "SIGTERM")]
    [InlineData("create ", "")]
    [InlineData("exec web ", "")]
    [InlineData("completion ", "bash|fish|zsh")]
    [InlineData("nonsense ", "")]
    public async Task Bash_AtTheCursor_OffersWhatMayStandThere(string line, string offered)
    {
        string script = _directory.File("completion");
        await File.WriteAllTextAsync(script, BashScript.Make(_model), TestContext.Current.CancellationToken);
        string[] words = line.Split(' ');
        string quoted = string.Join(' ', words.Select(static word => $"'{word}'"));
        CommandRun run = await CommandRun.HostAsync(
            "/bin/bash", _directory.Path, "--norc", "-euc",
            $"source {script}; complete -p kata-runtime > /dev/null; COMP_WORDS=({Program} {quoted}); COMP_CWORD={words.Length}; "
            + $"_kata_runtime {Program}; printf '%s\\n' \"${{COMPREPLY[@]}}\"");
        Assert.Equal(0, run.Status);
        Assert.Equal(
            offered.Split('|', StringSplitOptions.RemoveEmptyEntries).Order(StringComparer.Ordinal),
            run.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Bash_Files_AreOfTheirKind()
    {
        Directory.CreateDirectory(_directory.File("adir"));
        await File.WriteAllTextAsync(_directory.File("afile"), "", TestContext.Current.CancellationToken);
        Assert.Equal(["adir"], await FilesAsync("create --bundle a"));
        Assert.Equal(["adir", "afile"], await FilesAsync("exec -p a"));
        Assert.Equal(["adir", "afile"], await FilesAsync("config validate a"));
    }

    [Theory]
    [InlineData("/usr/bin/zsh", "zsh")]
    [InlineData("/usr/bin/fish", "fish")]
    public async Task OtherShell_Script_IsWellFormed(string shell, string name)
    {
        Assert.SkipUnless(File.Exists(shell), $"needs {shell}");
        string script = _directory.File("completion");
        await File.WriteAllTextAsync(
            script, name == "zsh" ? ZshScript.Make(_model) : FishScript.Make(_model), TestContext.Current.CancellationToken);
        Assert.Equal(new CommandRun(0, "", ""), await CommandRun.HostAsync(shell, _directory.Path, name == "zsh" ? "-fn" : "-n", script));
    }

    [Theory]
    [InlineData("kata-runtime cr", "create")]
    [InlineData("kata-runtime start ", "web|db")]
    [InlineData("kata-runtime kill web SIGTE", "SIGTERM")]
    [InlineData("kata-runtime list --format t", "table")]
    [InlineData("kata-runtime config va", "validate")]
    public async Task Fish_AtTheCursor_OffersWhatMayStandThere(string line, string offered)
    {
        Assert.SkipUnless(File.Exists("/usr/bin/fish"), "needs /usr/bin/fish");
        string script = _directory.File("completion");
        await File.WriteAllTextAsync(script, FishScript.Make(_model), TestContext.Current.CancellationToken);
        CommandRun run = await CommandRun.HostAsync(
            "/usr/bin/fish", _directory.Path, "--no-config", "-c",
            $"set -x PATH {_directory.Path} $PATH; source {script}; complete -C '{line}'");
        Assert.Equal(0, run.Status);
        IEnumerable<string> words = run.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(static item => item.Split('\t')[0]);
        Assert.Equal(offered.Split('|').Order(StringComparer.Ordinal), words.Order(StringComparer.Ordinal));
    }

    // zsh itself keeps of what is offered that which begins as the word at the cursor.
    [Theory]
    [InlineData("cr", "create")]
    [InlineData("start w", "web")]
    [InlineData("--root /r state ", "other")]
    [InlineData("kill web SIGTE", "SIGTERM")]
    [InlineData("list --format t", "table")]
    [InlineData("config va", "validate")]
    [InlineData("create --bun", "--bundle")]
    [InlineData("create ", "")]
    [InlineData("exec -p ", "files:")]
    [InlineData("create -b ", "files:-/")]
    public async Task Zsh_AtTheCursor_OffersWhatMayStandThere(string line, string offered)
    {
        Assert.SkipUnless(File.Exists("/usr/bin/zsh"), "needs /usr/bin/zsh");
        string script = _directory.File("completion");
        await File.WriteAllTextAsync(script, ZshScript.Make(_model), TestContext.Current.CancellationToken);
        string[] words = line.Split(' ');
        string quoted = string.Join(' ', words.Select(static word => $"'{word}'"));
        CommandRun run = await CommandRun.HostAsync(
            "/usr/bin/zsh", _directory.Path, "-fc",
            $"compadd() {{ shift; print -l -- \"$@\" }}; compdef() {{ : }}; _files() {{ print -- files:$1 }}; source {script}; "
            + $"words=({Program} {quoted}); CURRENT={words.Length + 1}; _kata_runtime");
        Assert.Equal(0, run.Status);
        string[] kept = [.. run.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(word =>
            word.StartsWith("files:", StringComparison.Ordinal) || word.StartsWith(words[^1], StringComparison.Ordinal))];
        Assert.Equal(offered.Split('|', StringSplitOptions.RemoveEmptyEntries), kept);
    }

    [Fact]
    public void Scripts_NameEveryCommandAndOption()
    {
        foreach (string script in new[] { BashScript.Make(_model), ZshScript.Make(_model) })
        {
            foreach (CommandPath path in _model.Commands)
            {
                Assert.Contains($"path='{path.Words}'", script, StringComparison.Ordinal);
                Assert.All(_model.OptionsOf(path.Command), option => Assert.Contains(option.Name, script, StringComparison.Ordinal));
            }
        }
    }

    private async Task<string[]> FilesAsync(string line)
    {
        string script = _directory.File("completion");
        await File.WriteAllTextAsync(script, BashScript.Make(_model), TestContext.Current.CancellationToken);
        string[] words = line.Split(' ');
        CommandRun run = await CommandRun.HostAsync(
            "/bin/bash", _directory.Path, "--norc", "-uc",
            $"source {script}; COMP_WORDS=(kata-runtime {line}); COMP_CWORD={words.Length}; _kata_runtime kata-runtime; "
            + $"printf '%s\\n' \"${{COMPREPLY[@]}}\"");
        return [.. run.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Order(StringComparer.Ordinal)];
    }
}
