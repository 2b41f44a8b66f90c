namespace Kata.Configuration;

/// <summary>One value of a TOML file.</summary>
/// <param name="Path">The tables above it and its key.</param>
/// <param name="Content">A string, bool, long, double or string[]; null for anything else.</param>
/// <param name="Source">The value as the file has it, for error texts.</param>
/// <param name="Line">Its line, from 1.</param>
internal sealed record TomlEntry(IReadOnlyList<string> Path, object? Content, string Source, int Line);
