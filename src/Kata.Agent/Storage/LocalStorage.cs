using Kata.Linux;

namespace Kata.Agent.Storage;

/// <summary>
/// A directory of the guest's own. No container's end takes it away, as others may use it; who does, a directory does not tell.
/// </summary>
/// <param name="path">Where it is.</param>
/// <param name="isMade">Whether it was made for the storage, and goes with it.</param>
internal sealed class LocalStorage(string path, bool isMade) : IAttachedStorage
{
    public string Device => "";

    public Task RemoveAsync() => WaitingThread.RunAsync("storage", () =>
    {
        if (isMade)
        {
            DirectoryTree.Remove(path);
        }
    });

    public Task<string?> DetachAsync() => Task.FromResult<string?>(null);
}
