namespace Kata.Runtime.Tests;

/// <summary>Tests that lend the console of this process to a command: one at a time, and no others beside them.</summary>
[CollectionDefinition(nameof(ConsoleGroup), DisableParallelization = true)]
public sealed class ConsoleGroup;
