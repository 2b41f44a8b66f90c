using Kata.Storage;

namespace Kata.Sandbox;

/// <summary>A root file system that the host sees: links are followed here, and what is missing in a read-only one is made here.</summary>
/// <param name="sources">The root file system, then what is mounted in it; owned until it is in the share.</param>
/// <param name="readOnly">The container cannot write to it.</param>
internal sealed class OpenSharedRoot(IReadOnlyList<HostSource> sources, bool readOnly) : OpenRoot
{
    public override bool ReadOnly => readOnly;

    public override IReadOnlyList<(HostSource Source, bool Writable)> Shared => [(sources[0], !readOnly && !sources[0].ReadOnly)];

    public override IReadOnlyList<HostSource> Mounted => [.. sources.Skip(1)];

    public override string Resolve(string destination, IReadOnlySet<string> mounted) =>
        RootFsPaths.Resolve(sources[0].Tree.Descriptor, destination, mounted);

    public override void MakeMountPoints(IReadOnlyList<MountLayer> layers, string workingDirectory)
    {
        if (!readOnly)
        {
            // The guest's runtime makes nodes in it, and not the directory. What else is missing it makes itself.
            RootFsMountPoints.Make(sources[0].Tree.Descriptor, "/dev", isDirectory: true);
            return;
        }

        var mounted = layers.Select(static layer => layer.Destination).ToHashSet(StringComparer.Ordinal);
        foreach (MountPoint point in MountPoint.InRootFs(
            [.. layers.Select(static layer => (layer.Destination, layer.IsDirectory)), (Resolve(workingDirectory, mounted), true)]))
        {
            RootFsMountPoints.Make(sources[0].Tree.Descriptor, point.Path, point.IsDirectory);
        }
    }

    public override string PathInGuest(SharedPlace? place) => GuestPaths.InGuest(place!.Path);

    public override Task AbandonAsync()
    {
        foreach (HostSource source in sources)
        {
            source.Dispose();
        }

        return Task.CompletedTask;
    }
}
