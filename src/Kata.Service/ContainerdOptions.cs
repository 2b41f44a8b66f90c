namespace Kata.Service;

/// <summary>What the service of a pod that containerd started knows of its containerd.</summary>
/// <param name="Namespace">containerd's namespace of the pod.</param>
/// <param name="Socket">Where containerd looks for the service: a name that leads to its socket.</param>
/// <param name="Address">containerd's gRPC socket, for the publisher.</param>
/// <param name="EventsAddress">containerd's ttRPC socket, which takes events; empty when there is none.</param>
/// <param name="Publisher">
/// An executable that publishes one event, for when there is no such socket; empty when events are only logged.
/// </param>
internal sealed record ContainerdOptions(string Namespace, string Socket, string Address, string EventsAddress, string Publisher);
