using System.CommandLine;
using Kata.Oci;
using Kata.Runtime.Commands;
using Kata.Testing;

namespace Kata.Runtime.Tests;

public sealed class ExecOptionsTests
{
    private static readonly ProcessSpec s_ofContainer = new()
    {
        Terminal = true,
        Cwd = "/home",
        Args = ["init"],
        Env = ["PATH=/bin", "A=1"],
        User = new UserSpec { Uid = 5, Gid = 6, AdditionalGids = [7] },
        ConsoleSize = new ConsoleSize { Height = 1, Width = 2 },
        Capabilities = new LinuxCapabilities
        {
            Bounding = ["CAP_KILL"],
            Effective = ["CAP_KILL"],
            Permitted = ["CAP_KILL"],
            Inheritable = ["CAP_X"],
            Ambient = [],
        },
    };

    [Theory]
    [InlineData("0", 0u, 6u, null)]
    [InlineData("1000", 1000u, 6u, null)]
    [InlineData("1000:100", 1000u, 100u, null)]
    [InlineData("4294967295:4294967295", uint.MaxValue, uint.MaxValue, null)]
    [InlineData("alice", 0u, 0u, "alice")]
    [InlineData("alice:100", 0u, 0u, "alice:100")]
    [InlineData("1000:staff", 0u, 0u, "1000:staff")]
    [InlineData("-1", 0u, 0u, "-1")]
    [InlineData("+5", 0u, 0u, "+5")]
    [InlineData("4294967296", 0u, 0u, "4294967296")]
    public void ParseUser_Table(string text, uint uid, uint gid, string? name)
    {
        (UserSpec user, string? found) = ExecOptions.ParseUser(text, s_ofContainer.User!);
        Assert.Equal((name is null ? uid : 5, name is null ? gid : 6, name), (user.Uid, user.Gid, found));
        Assert.Equal([7u], user.AdditionalGids);
    }

    [Theory]
    [InlineData("")]
    [InlineData(":")]
    [InlineData("1000:")]
    [InlineData(":100")]
    public void ParseUser_EmptyPart_SaysWhatToGive(string text) =>
        Assert.Contains(
            "Give USER or USER:GROUP",
            Assert.Throws<ArgumentException>(() => ExecOptions.ParseUser(text, new UserSpec())).Message,
            StringComparison.Ordinal);

    [Fact]
    public void Build_ProcessFileUnusable_NamesItAndWhatToGive()
    {
        using var directory = new TemporaryDirectory();
        string file = directory.File("process.json");
        Assert.Equal(
            $"Cannot use the file '{file}': it does not exist. Give --process a JSON file with an OCI process",
            Assert.Throws<ArgumentException>(() => Build($"-p {file}")).Message);
        File.WriteAllText(file, "{\"args\":7,\"cwd\":\"/\"}");
        Assert.Equal(
            $"Cannot use the file '{file}': /args: holds the number 7. It must be an array",
            Assert.Throws<InvalidSpecException>(() => Build($"-p {file}")).Message);
        File.WriteAllText(file, "");
        Assert.Equal(
            $"Cannot use the file '{file}': it is empty. It must be a JSON object",
            Assert.Throws<InvalidSpecException>(() => Build($"-p {file}")).Message);
        Assert.Equal(
            $"Cannot use the file '{directory.Path}': it is a directory. Give --process a JSON file with an OCI process",
            Assert.Throws<ArgumentException>(() => Build($"-p {directory.Path}")).Message);
    }

    [Fact]
    public void Build_NoOptions_IsTheContainersWithTheProgram()
    {
        ProcessSpec process = Build("", "ls", "-l");
        Assert.Equal(["ls", "-l"], process.Args);
        Assert.Equal(("/home", s_ofContainer.Env, s_ofContainer.User), (process.Cwd, process.Env, process.User));
        Assert.False(process.Terminal);
        Assert.Null(process.ConsoleSize);
    }

    [Fact]
    public void Build_EveryOption_ChangesItsField()
    {
        ProcessSpec process = Build("-t --cwd /w -e A=2 -e B=3 -u 9:8 -g 10 -g 11 -c CAP_KILL -c CAP_CHOWN --no-new-privs", "x");
        Assert.True(process.Terminal);
        Assert.True(process.NoNewPrivileges);
        Assert.Equal("/w", process.Cwd);
        Assert.Equal(["PATH=/bin", "A=1", "A=2", "B=3"], process.Env);
        Assert.Equal((9u, 8u), (process.User!.Uid, process.User.Gid));
        Assert.Equal([7u, 10u, 11u], process.User.AdditionalGids);
        LinuxCapabilities capabilities = process.Capabilities!;
        Assert.All([capabilities.Bounding, capabilities.Effective, capabilities.Permitted], static set =>
            Assert.Equal(["CAP_KILL", "CAP_CHOWN"], set));
        Assert.Equal(["CAP_KILL", "CAP_CHOWN"], capabilities.Ambient);
        Assert.Equal(["CAP_X"], capabilities.Inheritable);
    }

    [Fact]
    public void Build_NameOfAUser_IsLeftToTheGuestWithTheContainersGroups()
    {
        (ExecOptions options, ParseResult result) = Parse("-u alice:ops -g 10");
        ExecRequest wanted = options.Build(result, ["x"], static () => s_ofContainer);
        Assert.Equal("alice:ops", wanted.UserName);
        Assert.Equal([7u, 10u], wanted.Process.User!.AdditionalGids);
        Assert.Null(wanted.Process.User.Username);
    }

    [Fact]
    public void Build_NoProgram_SaysWhatToGive() =>
        Assert.Contains("--process FILE", Assert.Throws<ArgumentException>(() => Build("")).Message, StringComparison.Ordinal);

    [Fact]
    public void Build_ContainerWithoutProcess_SaysWhatToGive()
    {
        (ExecOptions options, ParseResult result) = Parse("");
        Assert.Contains(
            "--process FILE",
            Assert.Throws<ArgumentException>(() => options.Build(result, ["x"], static () => null)).Message,
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", false)]
    [InlineData("-t ", true)]
    public void Build_ProcessFile_IsTakenWhole(string option, bool terminal)
    {
        using var directory = new TemporaryDirectory();
        File.WriteAllText(directory.File("p.json"), """{"cwd":"/f","args":["from","file"],"user":{"uid":3,"gid":4}}""");
        ProcessSpec process = Build($"{option}--process {directory.File("p.json")} --cwd /ignored");
        Assert.Equal("/f", process.Cwd);
        Assert.Equal(["from", "file"], process.Args);
        Assert.Equal(terminal, process.Terminal ?? false);
    }

    private static ProcessSpec Build(string arguments, params string[] program)
    {
        (ExecOptions options, ParseResult result) = Parse(arguments);
        return options.Build(result, program, static () => s_ofContainer).Process;
    }

    private static (ExecOptions Options, ParseResult Result) Parse(string arguments)
    {
        var options = new ExecOptions();
        var command = new Command("exec", "x");
        options.AddTo(command);
        ParseResult result = command.Parse(arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries));
        Assert.Empty(result.Errors);
        return (options, result);
    }
}
