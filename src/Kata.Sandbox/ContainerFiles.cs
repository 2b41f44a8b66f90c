using Kata.Linux;
using Kata.Storage;
using GuestMount = Kata.Agent.Protocol.Oci.Mount;

namespace Kata.Sandbox;

/// <summary>What one container has of the host's files until it is deleted: its root file system, its volumes, and where the guest finds them.</summary>
internal sealed class ContainerFiles
{
    private readonly SharedSources _sources;
    private readonly IReadOnlyList<SharedPlace> _places; // the root file system first

    private ContainerFiles(SharedSources sources, IReadOnlyList<SharedPlace> places, IReadOnlyList<GuestMount> mounts) =>
        (_sources, _places, Mounts) = (sources, places, mounts);

    /// <summary>The root file system, as the guest sees it.</summary>
    public string RootFs => GuestPaths.InGuest(_places[0].Path);

    /// <summary>All mounts of the container, in their order.</summary>
    public IReadOnlyList<GuestMount> Mounts { get; }

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
            }

            HostSource root = opened[0][0];
            IReadOnlyList<MountLayer> layers = Order(plan, opened);
            if (plan.RootFs.ReadOnly)
            {
                // The guest makes those of a root file system that it can write to.
                foreach (MountPoint point in MountPoint.InRootFs(layers.Select(static layer => (layer.Destination, layer.IsDirectory))))
                {
                    RootFsMountPoints.Make(root.Tree.Descriptor, point.Path, point.IsDirectory);
                }
            }

            MountLayer[] shared = [.. layers.Where(static layer => layer.Source is not null)];
            IReadOnlyList<SharedPlace> places = sources.Acquire(
                [(root, !plan.RootFs.ReadOnly && !root.ReadOnly), .. shared.Select(static layer => (layer.Source!, !layer.ReadOnly))]);
            IEnumerator<SharedPlace> next = places.Skip(1).GetEnumerator();
            return new ContainerFiles(
                sources, places,
                [
                    .. MountLayer.Within(places[0], "/", plan.RootFs.ReadOnly),
                    .. layers.SelectMany(layer => layer.ToGuest(layer.Source is not null && next.MoveNext() ? next.Current : null)),
                ]);
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

    /// <summary>Takes it all out of the share. Nothing in the guest may use it any more.</summary>
    /// <exception cref="LinuxException">The first failure; the rest is taken out all the same.</exception>
    public void Release() => _sources.Release(_places);

    // What is mounted in the root file system on the host comes first, unless the specification mounts something there anyway.
    private static List<MountLayer> Order(ContainerPlan plan, List<IReadOnlyList<HostSource>> opened)
    {
        var layers = new List<MountLayer>();
        var mounted = new HashSet<string>(StringComparer.Ordinal);
        IEnumerator<IReadOnlyList<HostSource>> sources = opened.Skip(1).GetEnumerator();
        foreach (PlannedMount mount in plan.Mounts)
        {
            string destination = RootFsPaths.Resolve(opened[0][0].Tree.Descriptor, mount.Guest.Destination, mounted);
            mounted.Add(destination);
            layers.AddRange(mount.Shared is { } shared && sources.MoveNext()
                ? sources.Current.Select(source => MountLayer.OfHost(mount.Guest, shared.ReadOnly, destination, source))
                : [MountLayer.OfGuest(mount, destination)]);
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
