using Kata.Linux;
using Kata.Storage;
using GuestMount = Kata.Agent.Protocol.Oci.Mount;

namespace Kata.Sandbox;

/// <summary>
/// What one container has of the host's files until it is deleted: its root file system, its volumes, and where the guest finds them.
/// One caller at a time.
/// </summary>
internal sealed class ContainerFiles
{
    private readonly SharedSources _sources;
    private readonly List<SharedPlace> _places; // the root file system first
    private readonly List<(string Destination, bool ReadOnly, SharedPlace Place)> _mounted; // what the specification mounts of them

    private ContainerFiles(SharedSources sources, IReadOnlyList<MountLayer> layers, IReadOnlyList<SharedPlace> places, bool readOnlyRoot)
    {
        (_sources, _places) = (sources, [.. places]);
        RootFs = GuestPaths.InGuest(places[0].Path);
        _mounted = [("/", readOnlyRoot, places[0])];
        var mounts = new List<GuestMount>(MountLayer.Within(places[0], "/", readOnlyRoot));
        int next = 1;
        foreach (MountLayer layer in layers)
        {
            SharedPlace? place = layer.Source is null ? null : places[next++];
            mounts.AddRange(layer.ToGuest(place));
            if (place is not null)
            {
                _mounted.Add((layer.Destination, layer.ReadOnly, place));
            }

            if (layer is { Volume: { } volume, Source: { Place.Length: > 0 } source })
            {
                volume.Below[(source.Place, source.Key)] = place!;
            }
        }

        Mounts = mounts;
        Propagating =
        [
            .. layers.Select(static layer => layer.Volume)
                .OfType<PropagatingVolume>()
                .Distinct(ReferenceEqualityComparer.Instance)
                .Cast<PropagatingVolume>(),
        ];
    }

    /// <summary>The root file system, as the guest sees it.</summary>
    public string RootFs { get; }

    /// <summary>All mounts of the container, in their order.</summary>
    public IReadOnlyList<GuestMount> Mounts { get; }

    /// <summary>Volumes that follow the host's mounts.</summary>
    public IReadOnlyList<PropagatingVolume> Propagating { get; }

    /// <summary>Opens what the plan names, in the mount namespace of the pod's caller, and shares it with the guest.</summary>
    /// <exception cref="LinuxException">The kernel refused. Nothing is shared then.</exception>
    public static ContainerFiles Share(ContainerPlan plan, SharedSources sources, SafeFileDescriptor? callerMountNamespace)
    {
        var opened = new List<IReadOnlyList<HostSource>>();
        try
        {
            foreach (SharedMount mount in plan.Mounts.Select(static mount => mount.Shared).OfType<SharedMount>().Prepend(plan.RootFs))
            {
                opened.Add(HostMounts.Open(mount.HostPath, mount.Recursive, mount.Mounts, callerMountNamespace));
                if (mount.IdMap is { } map)
                {
                    using SafeFileDescriptor userNamespace = map.OpenNamespace();
                    opened[^1] =
                    [
                        .. opened[^1].Select(source => source.Place.Length == 0 || mount.MapsBelow
                            ? HostMounts.Map(source, mount.HostPath, map, userNamespace)
                            : source),
                    ];
                }
            }

            HostSource root = opened[0][0];
            IReadOnlyList<MountLayer> layers = Order(plan, opened);
            if (plan.RootFs.ReadOnly)
            {
                // The guest makes those of a root file system that it can write to, and the working directory too.
                var mounted = layers.Select(static layer => layer.Destination).ToHashSet(StringComparer.Ordinal);
                string directory = RootFsPaths.Resolve(root.Tree.Descriptor, plan.Bundle.Spec.Process?.Cwd ?? "/", mounted);
                foreach (MountPoint point in MountPoint.InRootFs(
                    [.. layers.Select(static layer => (layer.Destination, layer.IsDirectory)), (directory, true)]))
                {
                    RootFsMountPoints.Make(root.Tree.Descriptor, point.Path, point.IsDirectory);
                }
            }
            else
            {
                // The guest's runtime makes nodes in it, and not the directory.
                RootFsMountPoints.Make(root.Tree.Descriptor, "/dev", isDirectory: true);
            }

            IReadOnlyList<SharedPlace> places = sources.Acquire(
            [
                (root, !plan.RootFs.ReadOnly && !root.ReadOnly),
                .. layers.Where(static layer => layer.Source is not null).Select(static layer => (layer.Source!, !layer.ReadOnly)),
            ]);
            return new ContainerFiles(sources, layers, places, plan.RootFs.ReadOnly);
        }
        catch
        {
            foreach (HostSource source in opened.SelectMany(static sources => sources))
            {
                source.Dispose();
            }

            throw;
        }
    }

    /// <summary>What others have shared since and lies in this container's places: it is to be mounted over its place there.</summary>
    public IReadOnlyList<GuestMount> Follow() =>
    [
        .. _mounted.SelectMany(mounted => _sources.Follow(mounted.Place)
            .Select(item => MountLayer.Over(item, mounted.Destination, mounted.ReadOnly))),
    ];

    /// <summary>Shares one more source, which belongs to the share from here on.</summary>
    /// <exception cref="LinuxException">The kernel refused. It is not shared then.</exception>
    public SharedPlace Add(HostSource source)
    {
        SharedPlace place = _sources.Acquire([(source, !source.ReadOnly)])[0];
        _places.Add(place);
        return place;
    }

    /// <summary>Takes one source out of the share. Nothing in the container may use it any more.</summary>
    public void Remove(SharedPlace place)
    {
        _places.Remove(place);
        _sources.Release([place]);
    }

    /// <summary>Takes it all out of the share. Nothing in the guest may use it any more.</summary>
    /// <exception cref="LinuxException">The first failure; the rest is taken out all the same.</exception>
    public void Release() => _sources.Release(_places);

    // What is mounted in the root file system on the host comes first, unless the specification mounts something there anyway.
    private static List<MountLayer> Order(ContainerPlan plan, List<IReadOnlyList<HostSource>> opened)
    {
        var layers = new List<MountLayer>();
        var mounted = new HashSet<string>(StringComparer.Ordinal);
        int next = 1;
        foreach (PlannedMount mount in plan.Mounts)
        {
            string destination = RootFsPaths.Resolve(opened[0][0].Tree.Descriptor, mount.Guest.Destination, mounted);
            mounted.Add(destination);
            if (mount.Shared is not { } shared)
            {
                layers.Add(MountLayer.OfGuest(mount, destination));
                continue;
            }

            IReadOnlyList<HostSource> sources = opened[next++];
            PropagatingVolume? volume = shared.Propagates && sources[0].Status.IsDirectory
                ? new PropagatingVolume(shared.HostPath, destination)
                : null;
            layers.AddRange(sources.Select(source =>
                MountLayer.OfHost(mount.Guest, shared.ReadOnly, destination, source) with { Volume = volume }));
        }

        var inRoot = new GuestMount();
        foreach (HostSource source in opened[0].Skip(1).Reverse())
        {
            if (mounted.Any(destination => $"/{source.Place}/".StartsWith(destination.TrimEnd('/') + "/", StringComparison.Ordinal)))
            {
                source.Dispose();
            }
            else
            {
                layers.Insert(0, MountLayer.OfHost(inRoot, readOnly: false, "/", source));
            }
        }

        return layers;
    }
}
