using System.CommandLine;

namespace Kata.Runtime.Completion;

/// <summary>A command and the words that lead to it: <c>config show</c>.</summary>
internal readonly record struct CommandPath(string Words, Command Command);
