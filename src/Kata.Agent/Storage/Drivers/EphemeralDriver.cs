namespace Kata.Agent.Storage.Drivers;

/// <summary>A file system in the guest's memory.</summary>
internal sealed class EphemeralDriver(PlainMounter mounter) : IStorageDriver
{
    public string Name => "ephemeral";

    public Task<IAttachedStorage> AttachAsync(Protocol.Storage storage, CancellationToken cancellationToken) =>
        storage.Fstype is "hugetlbfs"
        ? throw AgentException.Missing("Cannot mount the storage: huge pages are not supported by this agent yet")
        : Task.FromResult(mounter.Mount(storage, "tmpfs", "tmpfs", storage.Options, path => DirectoryOwner.SetGroup(storage, path)));
}
