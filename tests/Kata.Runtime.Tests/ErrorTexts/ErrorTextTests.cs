using System.Text;
using System.Text.RegularExpressions;

namespace Kata.Runtime.Tests;

/// <summary>
/// What a person reads in each of many broken set-ups. The texts are in Golden/errors.txt, to be read through
/// as a whole.
/// </summary>
[Collection(nameof(ConsoleGroup))]
public sealed partial class ErrorTextTests
{
    private static readonly string s_longId = new('x', 1000);

    [Fact]
    public async Task Commands_InEveryBrokenSetup_SayTheGoldenText()
    {
        var text = new StringBuilder();
        foreach ((string title, string command, Action<BrokenSetup> breakIt) in Cases())
        {
            using var setup = new BrokenSetup();
            breakIt(setup);
            CommandRun run = await setup.RunAsync(command);
            string error = string.Concat(run.Error.Split('\n')
                .Where(static line => line.Length > 0 && !line.StartsWith("kata-runtime: warning: ", StringComparison.Ordinal))
                .Select(static line => line + "\n"));
            int status = command.StartsWith("exec ", StringComparison.Ordinal) ? 255 : 1;
            Assert.True(run.Status == status, $"{title}: status {run.Status}\n{run}");
            Assert.True(setup.RunLeavesNoPod(), $"{title}: something was made");
            text.Append(
                System.Globalization.CultureInfo.InvariantCulture,
                $"## {title}\n$ kata-runtime {command.Replace(s_longId, "xxx...", StringComparison.Ordinal)}\n{error}\n");
        }

        await GoldenText.CheckAsync("errors.txt", text.ToString().TrimEnd() + "\n");
    }

    [Fact]
    public async Task Golden_EveryText_SaysWhatOnWhatWhyAndWhatToDo()
    {
        string[] texts = [.. (await GoldenText.ReadAsync("errors.txt")).Split('\n')
            .Where(static line =>
                line.Length > 0 && !line.StartsWith("## ", StringComparison.Ordinal) && !line.StartsWith("$ ", StringComparison.Ordinal))];
        Assert.True(texts.Length >= 40, $"{texts.Length} texts");
        Assert.All(texts, static line => Assert.Matches(Form(), line));
    }

    private static IEnumerable<(string Title, string Command, Action<BrokenSetup> BreakIt)> Cases() =>
    [
        .. ErrorCases.Bundles(), .. ErrorCases.Specifications(), .. ErrorCases.Configurations(), .. ErrorCases.Ids(s_longId),
        .. ErrorCases.CommandLines(), .. ErrorCases.Files(),
    ];

    // Cannot <do what> '<object>': <cause>. <What to do>
    [GeneratedRegex(@"^kata-runtime: Cannot [a-z][^']*'.*'[^':]*: .+[^.]\. [A-Z].*[^. ]$")]
    private static partial Regex Form();
}
