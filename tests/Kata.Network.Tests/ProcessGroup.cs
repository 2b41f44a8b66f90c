namespace Kata.Network.Tests;

/// <summary>
/// Tests that start processes, one at a time: each holds every tap of this process until it runs its program, and a tap goes with its last
/// descriptor.
/// </summary>
[CollectionDefinition(nameof(ProcessGroup))]
public sealed class ProcessGroup;
