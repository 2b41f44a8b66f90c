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
    private readonly OpenRoot _root;
    private readonly List<SharedPlace> _places; // the root file system first, when it is shared
    private readonly List<(string Destination, bool ReadOnly, SharedPlace Place)> _mounted = []; // what the specification mounts of them

    private ContainerFiles(SharedSources sources, OpenRoot root, IReadOnlyList<MountLayer> layers, IReadOnlyList<SharedPlace> places)
    {
        (_sources, _root, _places) = (sources, root, [.. places]);
        int next = root.Shared.Count;
        SharedPlace? rootPlace = next > 0 ? places[0] : null;
        RootFs = root.PathInGuest(rootPlace);
        var mounts = new List<GuestMount>();
        if (rootPlace is not null)
        {
            _mounted.Add(("/", root.ReadOnly, rootPlace));
            mounts.AddRange(MountLayer.Within(rootPlace, "/", root.ReadOnly));
        }

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

    /// <summary>Opens what the plan names, in the mount namespace of the pod's caller, and gives it to the guest.</summary>
    /// <exception cref="LinuxException">The kernel refused. Nothing is shared then.</exception>
    /// <exception cref="Exception">What <see cref="StorageSet.AddAsync"/> says of a root file system that is a disk.</exception>
    public static async Task<ContainerFiles> ShareAsync(
        ContainerPlan plan, SharedSources sources, StorageSet storages, SafeFileDescriptor? callerMountNamespace,
        CancellationToken cancellationToken)
    {
        var volumes = new List<IReadOnlyList<HostSource>>();
        OpenRoot? root = null;
        try
        {
            root = await plan.Root.OpenAsync(storages, callerMountNamespace, cancellationToken);
            foreach (SharedMount mount in plan.Mounts.Select(static mount => mount.Shared).OfType<SharedMount>())
            {
                volumes.Add(HostMounts.Open(mount.HostPath, mount.Recursive, mount.Mounts, callerMountNamespace));
                if (mount.IdMap is { } map)
                {
                    using SafeFileDescriptor userNamespace = map.OpenNamespace();
                    volumes[^1] =
                    [
                        .. volumes[^1].Select(source => source.Place.Length == 0 || mount.MapsBelow
                            ? HostMounts.Map(source, mount.HostPath, map, userNamespace)
                            : source),
                    ];
                }
            }

            IReadOnlyList<MountLayer> layers = Order(plan, root, volumes);
            root.MakeMountPoints(layers, plan.Bundle.Spec.Process?.Cwd ?? "/");
            IReadOnlyList<SharedPlace> places = sources.Acquire(
            [
                .. root.Shared,
                .. layers.Where(static layer => layer.Source is not null).Select(static layer => (layer.Source!, !layer.ReadOnly)),
            ]);
            return new ContainerFiles(sources, root, layers, places);
        }
        catch
        {
            foreach (HostSource source in volumes.SelectMany(static sources => sources))
            {
                source.Dispose();
            }

            await (root?.AbandonAsync() ?? Task.CompletedTask);
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

    /// <summary>Takes it all from the guest. Nothing there may use it any more.</summary>
    /// <exception cref="Exception">The first failure; the rest is taken all the same.</exception>
    public async Task ReleaseAsync(CancellationToken cancellationToken)
    {
        var cleanUp = new CleanUp();
        cleanUp.Try(() => _sources.Release(_places));
        await cleanUp.TryAsync(() => _root.ReleaseAsync(cancellationToken));
        cleanUp.ThrowIfFailed();
    }

    // What is mounted in the root file system on the host comes first, unless the specification mounts something there anyway.
    private static List<MountLayer> Order(ContainerPlan plan, OpenRoot root, List<IReadOnlyList<HostSource>> volumes)
    {
        var layers = new List<MountLayer>();
        var mounted = new HashSet<string>(StringComparer.Ordinal);
        int next = 0;
        foreach (PlannedMount mount in plan.Mounts)
        {
            string destination = root.Resolve(mount.Guest.Destination, mounted);
            mounted.Add(destination);
            if (mount.Shared is not { } shared)
            {
                layers.Add(MountLayer.OfGuest(mount, destination));
                continue;
            }

            IReadOnlyList<HostSource> sources = volumes[next++];
            PropagatingVolume? volume = shared.Propagates && sources[0].Status.IsDirectory
                ? new PropagatingVolume(shared.HostPath, destination)
                : null;
            layers.AddRange(sources.Select(source =>
                MountLayer.OfHost(mount.Guest, shared.ReadOnly, destination, source) with { Volume = volume }));
        }

        var inRoot = new GuestMount();
        foreach (HostSource source in root.Mounted.Reverse())
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
