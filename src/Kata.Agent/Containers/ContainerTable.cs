namespace Kata.Agent.Containers;

/// <summary>The containers of this guest, by id. A name is taken from the start of its creation until its removal is complete.</summary>
internal sealed class ContainerTable
{
    private readonly Lock _gate = new();
    private readonly Dictionary<ContainerId, Container> _containers = []; // guarded by _gate
    private readonly Dictionary<ContainerId, Beginning> _beginnings = []; // guarded by _gate

    public IReadOnlyList<Container> All
    {
        get
        {
            lock (_gate)
            {
                return [.. _containers.Values];
            }
        }
    }

    /// <param name="id">The name.</param>
    /// <param name="beginning">The caller's; disposed after <see cref="TryAdd"/> or <see cref="Remove"/>.</param>
    /// <exception cref="Grpc.Core.RpcException">AlreadyExists.</exception>
    public void Reserve(ContainerId id, Beginning beginning)
    {
        lock (_gate)
        {
            if (_containers.ContainsKey(id) || !_beginnings.TryAdd(id, beginning))
            {
                throw AgentException.Exists($"Cannot create the container '{id}': it exists. Remove it first");
            }
        }
    }

    /// <summary>The container is complete. False when its creation was called off meanwhile: the caller takes it apart.</summary>
    public bool TryAdd(Container container)
    {
        lock (_gate)
        {
            if (_beginnings[container.Id].IsCalledOff)
            {
                return false;
            }

            _beginnings.Remove(container.Id);
            _containers.Add(container.Id, container);
            return true;
        }
    }

    public void Remove(ContainerId id)
    {
        lock (_gate)
        {
            _beginnings.Remove(id);
            _containers.Remove(id);
        }
    }

    /// <summary>A container that is being made, or null.</summary>
    public Beginning? FindStarting(string id)
    {
        lock (_gate)
        {
            return _beginnings.GetValueOrDefault(ContainerId.Parse(id));
        }
    }

    /// <summary>A complete container, or null.</summary>
    public Container? Find(string id)
    {
        lock (_gate)
        {
            return _containers.GetValueOrDefault(ContainerId.Parse(id));
        }
    }

    /// <exception cref="Grpc.Core.RpcException">NotFound.</exception>
    public Container Get(string id) => Find(id) ?? throw AgentException.NotFound($"Cannot find the container '{id}': it does not exist");
}
