namespace Kata.Sandbox;

/// <summary>A program that maps the guest's memory.</summary>
/// <param name="SocketPath">Absolute path of its socket; where there is none, the pod's, to which the program connects.</param>
/// <param name="Queues">As <see cref="DirectBackend"/>.</param>
/// <param name="QueueSize">As <see cref="DirectBackend"/>.</param>
internal sealed record VhostUserBackend(string SocketPath, int Queues, int QueueSize) : DirectBackend(Queues, QueueSize);
