namespace Kata.Agent.Storage.Drivers;

/// <summary>A directory of the guest's root file system. It stays when its container ends: others of the pod may use it.</summary>
internal sealed class LocalDriver : IStorageDriver
{
    private const string Mode = "mode=";

    public string Name => "local";

    public Task<IAttachedStorage> AttachAsync(Protocol.Storage storage, CancellationToken cancellationToken)
    {
        string path = PlainMounter.PathOf(storage);
        bool isMade = !Directory.Exists(path);
        Directory.CreateDirectory(path);
        string? mode = storage.Options.FirstOrDefault(static option => option.StartsWith(Mode, StringComparison.Ordinal));
        DirectoryOwner.SetMode(path, Convert.ToUInt32(mode?[Mode.Length..] ?? "0777", 8));
        DirectoryOwner.SetGroup(storage, path);
        return Task.FromResult<IAttachedStorage>(new LocalStorage(path, isMade));
    }
}
