namespace Kata.Sandbox;

/// <summary>A tap that somebody has made.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Queues">As <see cref="DirectBackend"/>.</param>
/// <param name="QueueSize">As <see cref="DirectBackend"/>.</param>
internal sealed record TapBackend(string Name, int Queues, int QueueSize) : DirectBackend(Queues, QueueSize);
