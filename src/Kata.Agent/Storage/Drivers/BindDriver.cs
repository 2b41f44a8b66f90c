namespace Kata.Agent.Storage.Drivers;

/// <summary>A directory or file of the guest in a second place.</summary>
internal sealed class BindDriver(PlainMounter mounter) : IStorageDriver
{
    public string Name => "bind";

    public Task<IAttachedStorage> AttachAsync(Protocol.Storage storage, CancellationToken cancellationToken) =>
        Task.FromResult(mounter.Mount(storage, storage.Source, storage.Fstype, [.. storage.Options, "bind"]));
}
