namespace Kata.Configuration;

/// <summary>Why a text is not TOML.</summary>
/// <param name="Line">From 1; 0 when the parser does not say where.</param>
/// <param name="Column">The same.</param>
/// <param name="Cause">Safe to print, without a full stop.</param>
internal sealed record TomlError(int Line, int Column, string Cause);
