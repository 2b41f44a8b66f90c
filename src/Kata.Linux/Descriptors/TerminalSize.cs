namespace Kata.Linux;

/// <summary>Rows and columns of a terminal; 0 means unknown.</summary>
internal readonly record struct TerminalSize(ushort Rows, ushort Columns);
