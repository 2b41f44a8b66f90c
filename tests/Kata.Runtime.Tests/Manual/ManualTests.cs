using System.CommandLine;
using Kata.Runtime.Completion;
using Kata.Runtime.Manual;
using Kata.Testing;

namespace Kata.Runtime.Tests;

[Collection(nameof(ConsoleGroup))]
public sealed class ManualTests
{
    private static readonly RootCommand s_root = CommandLine.Build(out _);

    [Fact]
    public void All_EveryVisibleCommand_HasAPageWithItsOptions()
    {
        Dictionary<string, string> pages = ManualPage.All(s_root).ToDictionary(static page => page.File, static page => page.Text);
        Assert.Equal(CompletionModel.Visible(s_root).Count() + 1, pages.Count);
        foreach (Command command in CompletionModel.Visible(s_root))
        {
            string page = pages[$"kata-runtime-{command.Name}.8"];
            foreach (Option option in command.Options)
            {
                Assert.Contains(option.Name.Replace("-", "\\-", StringComparison.Ordinal), page, StringComparison.Ordinal);
            }
        }
    }

    [Theory]
    [InlineData("/usr/bin/groff", "-man", "-ww", "-Tutf8", "-z")]
    [InlineData("/usr/bin/mandoc", "-Tlint", "-Wwarning")]
    public async Task All_PassesTheFormattersOwnChecks(string program, params string[] arguments)
    {
        Assert.SkipUnless(File.Exists(program), $"needs {program}");
        using var directory = new TemporaryDirectory();
        Assert.Equal(new CommandRun(0, "", ""), await CommandRun.RuntimeAsync("man", "--output", directory.Path));
        foreach (string page in Directory.EnumerateFiles(directory.Path))
        {
            CommandRun run = await CommandRun.HostAsync(program, directory.Path, [.. arguments, page]);
            // Pages have no date on purpose: the same sources give the same bytes.
            IEnumerable<string> complaints = run.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)
                .Where(static line => !line.Contains("missing date, using \"\": TH", StringComparison.Ordinal));
            Assert.Equal($"{page}: ", $"{page}: {string.Join('\n', complaints)}");
        }
    }

    [Fact]
    public async Task Limits_PrintsEveryRowOfTheDocument()
    {
        CommandRun run = await CommandRun.RuntimeAsync("limits");
        Assert.Equal(0, run.Status);
        IReadOnlyList<(string What, string Why)> rows = MachineLimits.Read();
        Assert.True(rows.Count >= 5, $"{rows.Count} rows");
        Assert.All(rows, row => Assert.Contains($"\n  {row.What}\n      {row.Why}\n", run.Output, StringComparison.Ordinal));
        Assert.All(rows, static row =>
            Assert.True(row is { What.Length: > 5, Why.Length: > 5 } && !row.What.Contains('|') && !row.Why.Contains('|'), row.ToString()));
    }
}
