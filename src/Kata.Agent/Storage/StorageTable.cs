namespace Kata.Agent.Storage;

/// <summary>
/// The storages that come and go by name while the guest lives. A name is taken from the start of its adding until its removal is
/// complete. A removal while it is being added calls that off; one during another removal waits for how that ends.
/// </summary>
internal sealed class StorageTable(StorageDrivers drivers)
{
    private const int IdLimit = 255;

    private readonly Lock _gate = new();
    private readonly Dictionary<string, Entry> _entries = new(StringComparer.Ordinal); // guarded by _gate
    private long _added; // guarded by _gate

    /// <summary>Brings a storage to its place.</summary>
    /// <returns>Its block device, or nothing.</returns>
    /// <exception cref="Grpc.Core.RpcException">AlreadyExists: the name is taken. Others are the driver's.</exception>
    /// <exception cref="OperationCanceledException">Its caller has given up, or it was called off: nothing is left of it.</exception>
    public async Task<string> AddAsync(string id, Protocol.Storage storage, CancellationToken cancellationToken)
    {
        if (id.Length is 0 or > IdLimit)
        {
            throw AgentException.Invalid($"Cannot add the storage '{id}': its id has {id.Length} characters. Give 1 to {IdLimit}");
        }

        using var beginning = new Beginning(cancellationToken);
        Entry entry;
        lock (_gate)
        {
            entry = new Entry(id, beginning, ++_added);
            if (!_entries.TryAdd(id, entry))
            {
                throw AgentException.Exists($"Cannot add the storage '{id}': there is one of that id. Remove it first");
            }
        }

        try
        {
            IAttachedStorage attached = await drivers.AttachAsync(storage, beginning.Token);
            if (!entry.TryComplete(attached, _gate))
            {
                _ = await attached.DetachAsync(); // nobody has used it yet
                throw new OperationCanceledException(beginning.Token);
            }

            return attached.Device;
        }
        catch
        {
            Forget(id);
            throw;
        }
    }

    /// <summary>Takes a storage away.</summary>
    /// <exception cref="Grpc.Core.RpcException">NotFound: there is none. FailedPrecondition: it is in use.</exception>
    public async Task RemoveAsync(string id, CancellationToken cancellationToken)
    {
        Entry entry = Find(id) ?? throw NotFound(id);
        if (!entry.IsComplete(_gate))
        {
            await entry.Beginning.CallOffAsync(cancellationToken);
            if (Find(id) != entry)
            {
                return; // it was in time
            }
        }

        await entry.Turn.WaitAsync(cancellationToken);
        try
        {
            if (Find(id) != entry)
            {
                throw NotFound(id); // another call has removed it
            }

            await entry.Storage!.RemoveAsync();
            Forget(id);
        }
        finally
        {
            entry.Turn.Release();
        }
    }

    /// <summary>The guest's end: what is on a disk is unmounted, so that the file system is clean there.</summary>
    /// <returns>What could not be, by name.</returns>
    public async Task<IReadOnlyList<string>> DetachAllAsync(CancellationToken cancellationToken)
    {
        var left = new List<string>();
        Entry[] entries;
        lock (_gate)
        {
            entries = [.. _entries.Values];
        }

        Array.Sort(entries, static (one, other) => other.Number.CompareTo(one.Number)); // mounts below others first
        foreach (Entry entry in entries)
        {
            try
            {
                await RemoveAsync(entry.Id, cancellationToken);
            }
            catch (Exception error) when (error is Grpc.Core.RpcException or Kata.Linux.LinuxException)
            {
                left.Add($"{entry.Id} ({ErrorText.Of(error)})");
            }
        }

        return left;
    }

    private static Grpc.Core.RpcException NotFound(string id) =>
        AgentException.NotFound($"Cannot remove the storage '{id}': there is none of that id");

    private Entry? Find(string id)
    {
        lock (_gate)
        {
            return _entries.GetValueOrDefault(id);
        }
    }

    private void Forget(string id)
    {
        lock (_gate)
        {
            _entries.Remove(id);
        }
    }

    private sealed class Entry(string id, Beginning beginning, long number)
    {
        public string Id { get; } = id;

        public long Number { get; } = number;

        public Beginning Beginning { get; } = beginning;

        /// <summary>One removal at a time.</summary>
        public SemaphoreSlim Turn { get; } = new(1);

        public IAttachedStorage? Storage { get; private set; } // guarded by the table's gate

        /// <summary>False when it was called off meanwhile.</summary>
        public bool TryComplete(IAttachedStorage storage, Lock gate)
        {
            lock (gate)
            {
                if (Beginning.IsCalledOff)
                {
                    return false;
                }

                Storage = storage;
                return true;
            }
        }

        public bool IsComplete(Lock gate)
        {
            lock (gate)
            {
                return Storage is not null;
            }
        }
    }
}
