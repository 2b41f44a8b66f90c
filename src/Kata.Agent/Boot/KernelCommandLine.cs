namespace Kata.Agent.Boot;

/// <summary>
/// The agent's own words on the kernel command line, <c>agent.NAME=VALUE</c>. Written by the host, which the agent trusts.
/// </summary>
internal sealed class KernelCommandLine
{
    private const string Prefix = "agent.";

    private readonly Dictionary<string, string> _values = new(StringComparer.Ordinal);

    private KernelCommandLine()
    {
    }

    /// <summary>A name given twice has its last value, as with the kernel's own words. Other programs' words are ignored.</summary>
    public static KernelCommandLine Parse(string text)
    {
        var result = new KernelCommandLine();
        foreach (string word in text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries))
        {
            if (word.StartsWith(Prefix, StringComparison.Ordinal))
            {
                int equals = word.IndexOf('=', StringComparison.Ordinal);
                string name = equals < 0 ? word[Prefix.Length..] : word[Prefix.Length..equals];
                result._values[name] = equals < 0 ? "true" : word[(equals + 1)..].Trim('"');
            }
        }

        return result;
    }

    public string? this[string name] => _values.GetValueOrDefault(name);
}
