namespace Kata.Conformance.Harness;

/// <summary>
/// <c>waivers.txt</c>: expectations that a runtime is known not to meet here. One a line, four fields separated by <c>|</c>: runtime,
/// expectation as the table names it, reason, where it is documented.
/// </summary>
internal static class Waivers
{
    /// <summary>Reason and place by runtime and expectation.</summary>
    public static IReadOnlyDictionary<(string Runtime, string Expectation), (string Reason, string Documented)> All { get; } = Read();

    private static Dictionary<(string, string), (string, string)> Read()
    {
        var result = new Dictionary<(string, string), (string, string)>();
        foreach (string line in File.ReadAllLines(Path.Combine(AppContext.BaseDirectory, "waivers.txt")))
        {
            if (line.Length > 0 && line[0] != '#')
            {
                string[] fields = line.Split('|', StringSplitOptions.TrimEntries);
                Assert.True(
                    fields.Length == 4 && fields.All(static field => field.Length > 0), $"waivers.txt: '{line}' has not four fields");
                result.Add((fields[0], fields[1]), (fields[2], fields[3]));
            }
        }

        return result;
    }
}
