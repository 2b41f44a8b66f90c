using System.CommandLine;

namespace Kata.Runtime.Tests;

/// <summary>Every option that runc 1.1 documents, in every spelling, is one of ours.</summary>
public sealed class RuncOptionsTests
{
    private const string Runc = "/usr/sbin/runc";

    private static readonly RootCommand s_root = CommandLine.Build(out _);

    public static TheoryData<string> Rows() =>
        [.. File.ReadAllLines(Path.Combine(AppContext.BaseDirectory, "Golden", "runc-1.1-options.txt"))];

    [Theory]
    [MemberData(nameof(Rows))]
    public void Parse_OptionOfRunc_IsTaken(string row)
    {
        (string verb, string[] names, bool takesValue) = Split(row);
        Command command = verb == "runc" ? s_root : Assert.Single(s_root.Subcommands, item => item.Name == verb);
        foreach (string name in names)
        {
            Option option = Assert.Single(
                PosixOrder.OptionsOf(s_root, command), option => option.Name == name || option.Aliases.Contains(name));
            Assert.Equal(takesValue, Kata.Runtime.Completion.CompletionModel.TakesValue(option));
            Assert.False(option.Required, row);
            string[] words = [name, .. takesValue ? new[] { ValueOf(option) } : []];
            string[] arguments = verb == "runc"
                ? [.. words, "list"]
                : [verb, .. words, .. command.Arguments.Count > 0 ? new[] { "--", "id" } : []];
            var parser = new ParserConfiguration { EnablePosixBundling = true };
            Assert.Null(UsageError.Find(s_root, arguments, s_root.Parse(PosixOrder.Apply(s_root, arguments), parser)));
        }
    }

    [Fact]
    public async Task Table_IsWhatTheInstalledRuncSays()
    {
        Assert.SkipUnless(File.Exists(Runc), $"needs {Runc}");
        string version = (await CommandRun.HostAsync(Runc, "/", "--version")).Output;
        Assert.SkipUnless(
            version.StartsWith("runc version 1.1.", StringComparison.Ordinal), $"needs runc 1.1, here is {version.Split('\n')[0]}");
        var expected = new List<string>();
        foreach (string verb in Rows().Select(static row => row.Data.Split(' ')[0]).Distinct())
        {
            string help = (await CommandRun.HostAsync(Runc, "/", [.. verb == "runc" ? [] : new[] { verb }, "--help"])).Output;
            expected.AddRange(help.Split('\n')
                .SkipWhile(static line => !line.StartsWith("OPTIONS:", StringComparison.Ordinal)
                    && !line.StartsWith("GLOBAL OPTIONS:", StringComparison.Ordinal))
                .Where(static line => line.TrimStart().StartsWith("--", StringComparison.Ordinal))
                .Select(line => $"{verb} {line.Trim().Split("  ")[0]}"));
        }

        Assert.Equal(expected, Rows().Select(static row => row.Data));
    }

    // 'exec --env value, -e value': the verb, its spellings, and whether a value follows.
    private static (string Verb, string[] Names, bool TakesValue) Split(string row)
    {
        string[] parts = row.Split(' ', 2);
        string[] spellings = parts[1].Split(", ");
        bool takesValue = spellings[0].EndsWith(" value", StringComparison.Ordinal);
        return (parts[0], [.. spellings.Select(static spelling => spelling.Split(' ')[0])], takesValue);
    }

    private static string ValueOf(Option option) => option.ValueType == typeof(string) || option.ValueType == typeof(string[])
        ? UsageError.Choices(option) is { Length: > 0 } choices ? choices[0] : "word"
        : "0";
}
