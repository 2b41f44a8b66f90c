namespace Kata.Configuration;

/// <summary>The type of a key's value in TOML.</summary>
internal enum ConfigurationType
{
    /// <summary>A string.</summary>
    Text,

    /// <summary><c>true</c> or <c>false</c>.</summary>
    Flag,

    /// <summary>A whole number.</summary>
    Whole,

    /// <summary>A number with or without a fraction.</summary>
    Number,

    /// <summary>An array of strings.</summary>
    TextList,

    /// <summary>Anything: the value is kept and not looked at.</summary>
    Any,
}
