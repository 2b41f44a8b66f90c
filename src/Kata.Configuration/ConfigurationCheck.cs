namespace Kata.Configuration;

/// <summary>Checks single values against their definition; shared by files and annotations.</summary>
internal static class ConfigurationCheck
{
    /// <summary>The value as the key's type has it; null when it does not fit.</summary>
    internal static object? Fit(ConfigurationKey key, object? content)
    {
        object? typed = (key.Type, content) switch
        {
            (ConfigurationType.Text, string text) => text.Contains('\0', StringComparison.Ordinal) ? null : text,
            (ConfigurationType.Flag, bool) => content,
            (ConfigurationType.Whole or ConfigurationType.Number, long whole) => InRange(key, whole) ? content : null,
            (ConfigurationType.Number, double number) => InRange(key, number) ? content : null,
            (ConfigurationType.TextList, string[] list) => list.Any(item => item.Contains('\0', StringComparison.Ordinal)) ? null : list,
            _ => null,
        };
        if (typed is string choice && key.Choices is not null && !key.Choices.Contains(choice))
            return null;
        return key.Use == KeyUse.DefaultOnly && !Equals(typed, key.Default) ? null : typed;
    }

    /// <summary>What to do about a value that does not fit.</summary>
    internal static string Remedy(ConfigurationKey key) => key.Use == KeyUse.DefaultOnly
        ? $"This protection is not available yet; only {ConfigurationValue.Write(key.Default)} is allowed"
        : $"It must be {key.Allowed}";

    // Not-a-number is in no range.
    private static bool InRange(ConfigurationKey key, double number) => number >= key.Minimum && number <= key.Maximum;
}
