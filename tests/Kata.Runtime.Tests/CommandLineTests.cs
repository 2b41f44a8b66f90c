using System.CommandLine;
using System.CommandLine.Help;

namespace Kata.Runtime.Tests;

public sealed class CommandLineTests
{
    private static readonly RootCommand s_root = CommandLine.Build(out _);

    [Fact]
    public void Build_EveryCommandOptionAndArgument_HasADescription()
    {
        foreach (Command command in s_root.Subcommands)
        {
            Assert.False(string.IsNullOrEmpty(command.Description), command.Name);
            if (command.Hidden)
            {
                continue; // started by ourselves
            }

            Assert.All(command.Options, option => Assert.False(string.IsNullOrEmpty(option.Description), $"{command.Name} {option.Name}"));
            Assert.All(
                command.Arguments, argument => Assert.False(string.IsNullOrEmpty(argument.Description), $"{command.Name} {argument.Name}"));
        }

        Assert.All(s_root.Options, static option => Assert.False(string.IsNullOrEmpty(option.Description), option.Name));
    }

    [Fact]
    public void Build_NamesAndAliases_AreUnambiguous()
    {
        IEnumerable<string> commands = s_root.Subcommands.SelectMany(static command => command.Aliases.Append(command.Name));
        Assert.Empty(commands.GroupBy(static name => name).Where(static group => group.Count() > 1).Select(static group => group.Key));
        foreach (Command command in s_root.Subcommands)
        {
            IEnumerable<string> options = command.Options.Concat(s_root.Options.Where(static option => option.Recursive))
                .SelectMany(static option => option.Aliases.Append(option.Name));
            Assert.Empty(options.GroupBy(static name => name)
                .Where(static group => group.Count() > 1).Select(group => $"{command.Name} {group.Key}"));
        }
    }

    [Fact]
    public async Task Help_OfTheRoot_IsTheGolden()
    {
        string text = await HelpAsync();
        await GoldenText.CheckAsync("help.txt", string.Join('\n', text.Split('\n').Select(static line => line.TrimEnd())).TrimEnd() + "\n");
    }

    [Theory]
    [InlineData("create", "kata-runtime create [options] <ID>")]
    [InlineData("start", "kata-runtime start [options] <ID>...")]
    [InlineData("exec", "kata-runtime exec [options] <ID> [<COMMAND>...]")]
    [InlineData("kill", "kata-runtime kill [options] <ID> [<SIGNAL>]")]
    [InlineData("list", "kata-runtime list [options]")]
    [InlineData("env", "kata-runtime kata-env [options]")]
    public async Task Help_OfACommand_HasTheOrderThatIsParsed(string command, string usage) =>
        Assert.Contains($"Usage:\n  {usage}\n", await HelpAsync(command), StringComparison.Ordinal);

    [Fact]
    public async Task Help_OfEveryCommand_ShowsNothingOfThisProcess()
    {
        foreach (Command command in s_root.Subcommands.Where(static command => !command.Hidden))
        {
            string text = await HelpAsync(command.Name);
            Assert.DoesNotContain(Directory.GetCurrentDirectory(), text, StringComparison.Ordinal);
            Assert.Contains("[default: text]", text, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("text", false)]
    [InlineData("json", false)]
    [InlineData("Text", true)]
    [InlineData("1", true)]
    public void Parse_LogFormat_IsOneOfItsTwoWords(string word, bool refused) =>
        Assert.Equal(refused, s_root.Parse(["--log-format", word, "list"]).Errors.Count > 0);

    [Theory]
    [InlineData("create")]
    [InlineData("start")]
    [InlineData("run")]
    [InlineData("exec")]
    [InlineData("state")]
    [InlineData("list")]
    [InlineData("kill")]
    [InlineData("delete")]
    [InlineData("pause")]
    [InlineData("resume")]
    [InlineData("ps")]
    [InlineData("update")]
    [InlineData("events")]
    public void Build_RuncsCommands_AreThere(string name) =>
        Assert.Contains(s_root.Subcommands, command => command.Name == name && !command.Hidden);

    [Theory]
    [InlineData("exec -dt -- ID sh -c ls")]
    [InlineData("exec --pid-file=/p -p file -- ID")]
    [InlineData("run --no-pivot -d --bundle=/b -- ID")]
    [InlineData("--systemd-cgroup --log /l --log-format json create --pid-file /p -- ID")]
    [InlineData("kill -a -- ID KILL")]
    [InlineData("delete -f -- a b")]
    [InlineData("ps --format json -- ID")]
    [InlineData("update --resources - -- ID")]
    [InlineData("events --stats -- ID")]
    [InlineData("--rootless=auto list -q -f json")]
    public void Parse_EnginesCalls_HaveNoError(string arguments) =>
        Assert.Empty(s_root.Parse(arguments.Split(' '), new ParserConfiguration { EnablePosixBundling = true }).Errors);

    [Theory]
    [InlineData("service --root /run/kata --sandbox s1 --log-format json --log /l --kata-config /c --debug")]
    [InlineData("service --root /run/kata/@ns --sandbox s1 --log /l --containerd-socket /s --containerd-namespace ns "
        + "--containerd-address /a --containerd-events /e --containerd-publisher /p")]
    [InlineData("stand-in --socket /s --container c1 --exec-id e1 --terminal --rootfs /r --hostname h -- /proc=proc")]
    public void BuildOwn_OurOwnCalls_MeanWhatTheyMeanAmongAllCommands(string arguments)
    {
        var configuration = new ParserConfiguration { EnablePosixBundling = true };
        ParseResult own = CommandLine.BuildOwn(out _).Parse(arguments.Split(' '), configuration);
        Assert.Empty(own.Errors);
        Assert.Equal(s_root.Parse(arguments.Split(' '), configuration).ToString(), own.ToString());
    }

    private static async Task<string> HelpAsync(params string[] command)
    {
        RootCommand root = CommandLine.Build(out _);
        ((OrderedHelp)root.Options.OfType<HelpOption>().Single().Action!).MaxWidth = int.MaxValue; // whatever the terminal's is
        using var output = new StringWriter();
        Assert.Equal(0, await root.Parse([.. command, "--help"]).InvokeAsync(new InvocationConfiguration { Output = output }));
        // The name of the executable is the test's own here.
        return output.ToString().ReplaceLineEndings("\n").Replace(RootCommand.ExecutableName, "kata-runtime", StringComparison.Ordinal);
    }
}
