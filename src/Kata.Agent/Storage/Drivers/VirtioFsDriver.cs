namespace Kata.Agent.Storage.Drivers;

/// <summary>A directory of the host, by virtio-fs; the source is the device's tag.</summary>
internal sealed class VirtioFsDriver(PlainMounter mounter) : IStorageDriver
{
    public string Name => "virtio-fs";

    public Task<IAttachedStorage> AttachAsync(Protocol.Storage storage, CancellationToken cancellationToken) =>
        Task.FromResult(mounter.Mount(storage, storage.Source, "virtiofs", storage.Options));
}
