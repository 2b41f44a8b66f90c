using System.Collections.Concurrent;
using System.Text;
using Kata.Conformance.Harness;

[assembly: AssemblyFixture(typeof(ResultTable))]

namespace Kata.Conformance.Harness;

/// <summary>Every expectation's outcome for every runtime; written as docs/conformance.md to KATA_CONFORMANCE_TABLE.</summary>
public sealed class ResultTable : IDisposable
{
    private static readonly string[] s_runtimes = ["runc", "crun", "kata"];
    private static readonly ConcurrentDictionary<(string Section, string Expectation), ConcurrentDictionary<string, bool>> s_outcomes =
        new();

    public void Dispose()
    {
        if (Environment.GetEnvironmentVariable("KATA_CONFORMANCE_TABLE") is { Length: > 0 } path)
        {
            File.WriteAllText(path, Render());
        }
    }

    internal static void Record(string section, string expectation, string runtime, bool met) =>
        s_outcomes.GetOrAdd((section, expectation), static _ => new ConcurrentDictionary<string, bool>())[runtime] = met;

    private static string Render()
    {
        var text = new StringBuilder(
            "# Conformance to the OCI runtime specification\n\n"
            + "Written by `scripts/conformance` from what `tests/Kata.Conformance` found; do not edit. "
            + "Expectations are from the specification\n"
            + "and are put to each runtime through its command line only; that runc and crun meet them proves the suite.\n\n"
            + "Yes: met. A number: not met, see the notes. Empty: not tested.\n");
        var notes = new List<string>();
        var sections = s_outcomes.GroupBy(static item => item.Key.Section).OrderBy(static item => item.Key, StringComparer.Ordinal);
        foreach (var section in sections)
        {
            text.Append($"\n## {section.Key}\n| Expectation | runc | crun | kata |\n|---|---|---|---|\n");
            var ordered = section.OrderBy(static item => item.Key.Expectation, StringComparer.Ordinal);
            foreach (((string _, string expectation), ConcurrentDictionary<string, bool> outcomes) in ordered)
            {
                text.Append($"| {expectation} |");
                foreach (string runtime in s_runtimes)
                {
                    text.Append(
                        outcomes.TryGetValue(runtime, out bool met) ? met ? " yes |" : $" {Note(notes, runtime, expectation)} |" : " |");
                }

                text.Append('\n');
            }
        }

        text.Append("\n## Notes\n");
        for (int i = 0; i < notes.Count; i++)
        {
            text.Append($"{i + 1}. {notes[i]}\n");
        }

        return text.ToString();
    }

    private static int Note(List<string> notes, string runtime, string expectation)
    {
        string note = Waivers.All.TryGetValue((runtime, expectation), out (string Reason, string Documented) waiver)
            ? $"{runtime}: {waiver.Reason} ({waiver.Documented})"
            : $"{runtime}: not met, and no waiver says why";
        int index = notes.IndexOf(note);
        if (index < 0)
        {
            notes.Add(note);
            index = notes.Count - 1;
        }

        return index + 1;
    }
}
