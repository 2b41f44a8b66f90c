namespace Kata.Agent.Storage.Drivers;

/// <summary>An overlay of directories that the options name.</summary>
internal sealed class OverlayDriver(PlainMounter mounter) : IStorageDriver
{
    public string Name => "overlayfs";

    public Task<IAttachedStorage> AttachAsync(Protocol.Storage storage, CancellationToken cancellationToken) =>
        Task.FromResult(mounter.Mount(storage, "overlay", "overlay", storage.Options));
}
