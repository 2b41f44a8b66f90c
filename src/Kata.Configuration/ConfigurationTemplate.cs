namespace Kata.Configuration;

/// <summary>
/// Writes the commented <c>configuration.toml</c> that an installation gets: every key that has an effect, at its default.
/// </summary>
internal static class ConfigurationTemplate
{
    private const int Width = 100;

    internal static void Write(TextWriter writer)
    {
        writer.Write(
            """
            # Configuration of kata-runtime. It is read from /etc/kata-containers/configuration.toml or, where that is not there, from
            # what is installed: the first that exists of those that 'kata-runtime --show-default-config-paths' lists. Rather than
            # editing this file, put what differs into config.d/NAME.toml beside it: those files are read after this one, in the
            # order of their names.
            # Keys of Kata Containers 1.x to 4.x that are not listed here are accepted.

            """);
        foreach (IGrouping<string, ConfigurationKey> section in
            ConfigurationSchema.Keys.Where(key => key.Use == KeyUse.Applied).GroupBy(key => key.Section))
        {
            writer.Write($"\n[{Header(section.Key)}]\n");
            foreach (ConfigurationKey key in section)
                WriteKey(writer, key);
        }
    }

    private static string Header(string section) => section switch
    {
        "hypervisor" => "hypervisor.qemu",
        "agent" => "agent.kata",
        _ => section,
    };

    private static void WriteKey(TextWriter writer, ConfigurationKey key)
    {
        writer.Write('\n');
        string allowed = char.ToUpperInvariant(key.Allowed[0]) + key.Allowed[1..];
        foreach (string line in Wrap($"{key.Description} {allowed}."))
            writer.Write($"# {line}\n");
        writer.Write(
            key.Default is null
                ? $"#{key.Name} = {ConfigurationValue.Write(key.Example ?? "")}\n"
                : $"{key.Name} = {ConfigurationValue.Write(key.Default)}\n");
    }

    private static IEnumerable<string> Wrap(string text)
    {
        while (text.Length > Width)
        {
            int end = text.LastIndexOf(' ', Width);
            yield return text[..end];
            text = text[(end + 1)..];
        }

        yield return text;
    }
}
