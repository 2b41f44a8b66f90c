using System.Collections.Concurrent;

namespace Kata.Agent.Containers;

/// <summary>The containers of this guest, by id. A name is taken from the start of its creation until its removal is complete.</summary>
internal sealed class ContainerTable
{
    private readonly ConcurrentDictionary<ContainerId, Container?> _containers = new(); // null while being created

    public IEnumerable<Container> All => _containers.Values.OfType<Container>();

    /// <exception cref="Grpc.Core.RpcException">AlreadyExists.</exception>
    public void Reserve(ContainerId id)
    {
        if (!_containers.TryAdd(id, null))
        {
            throw AgentException.Exists($"Cannot create the container '{id}': it exists. Remove it first");
        }
    }

    public void Add(Container container) => _containers[container.Id] = container;

    public void Remove(ContainerId id) => _containers.TryRemove(id, out _);

    /// <exception cref="Grpc.Core.RpcException">NotFound.</exception>
    public Container Get(string id) => _containers.GetValueOrDefault(ContainerId.Parse(id))
        ?? throw AgentException.NotFound($"Cannot find the container '{id}': it does not exist");
}
