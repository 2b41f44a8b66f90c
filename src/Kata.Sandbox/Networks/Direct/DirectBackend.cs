namespace Kata.Sandbox;

/// <summary>What the host has for a card of a directly attachable network.</summary>
/// <param name="Queues">Pairs of queues, from 1.</param>
/// <param name="QueueSize">Places of each, a power of two.</param>
internal abstract record DirectBackend(int Queues, int QueueSize);
