namespace Kata.Agent.Storage.Drivers;

/// <summary>A directory of the host, by 9p; the source is the device's tag.</summary>
internal sealed class NinePDriver(PlainMounter mounter) : IStorageDriver
{
    public string Name => "9p";

    public Task<IAttachedStorage> AttachAsync(Protocol.Storage storage, CancellationToken cancellationToken) =>
        Task.FromResult(mounter.Mount(storage, storage.Source, "9p", storage.Options));
}
