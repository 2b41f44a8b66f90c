using Kata.Storage;

namespace Kata.Sandbox;

/// <summary>
/// A root file system that only the guest sees, where the guest's runtime follows links, within the root, and makes what is missing.
/// </summary>
/// <param name="disk">Its disk, mounted in the guest.</param>
/// <param name="storages">The pod's.</param>
internal sealed class OpenBlockRoot(PodStorage disk, StorageSet storages) : OpenRoot
{
    public override string Resolve(string destination, IReadOnlySet<string> mounted) => Path.GetFullPath(destination, "/");

    public override string PathInGuest(SharedPlace? place) => disk.Plan.MountPoint!;

    public override Task AbandonAsync() => storages.AbandonRootAsync(disk);

    public override Task ReleaseAsync(CancellationToken cancellationToken) => storages.RemoveRootAsync(disk, cancellationToken);
}
