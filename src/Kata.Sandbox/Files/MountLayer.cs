using Kata.Storage;
using GuestMount = Kata.Agent.Protocol.Oci.Mount;

namespace Kata.Sandbox;

/// <summary>
/// One mount that the guest makes for a container: one of the specification, or one that is below its source on the host.
/// </summary>
/// <param name="Guest">The mount of the specification.</param>
/// <param name="Destination">Without links.</param>
/// <param name="IsDirectory">Else a file.</param>
/// <param name="Source">What of the host's it shows, or null.</param>
/// <param name="ReadOnly">The container cannot write through it.</param>
internal sealed record MountLayer(GuestMount Guest, string Destination, bool IsDirectory, HostSource? Source, bool ReadOnly)
{
    /// <summary>The volume that it is, or is a part of, when what the host mounts there later is to come into the container.</summary>
    public PropagatingVolume? Volume { get; init; }

    private static readonly string[] s_propagation = ["rbind", "rprivate", "rshared", "rslave", "runbindable"];

    public static MountLayer OfGuest(PlannedMount mount, string destination) =>
        new(mount.Guest, destination, mount.IsDirectory, null, false);

    public static MountLayer OfHost(GuestMount mount, bool readOnly, string destination, HostSource source)
    {
        if (source.Place.Length == 0)
        {
            return new MountLayer(mount, destination, source.Status.IsDirectory, source, readOnly || source.ReadOnly);
        }

        // What is mounted below a source keeps its own flags, but for those that are asked for recursively.
        var below = new GuestMount
        {
            Type = "bind",
            Options = { "bind", mount.Options.Where(IsRecursive).Select(static option => option[1..]) },
        };
        return new MountLayer(
            below, $"{destination.TrimEnd('/')}/{source.Place}", source.Status.IsDirectory, source,
            source.ReadOnly || below.Options.Contains("ro"));
    }

    /// <summary>For the guest's runtime, in the order in which to mount.</summary>
    /// <param name="place">Where the source is shared; null without one.</param>
    public IEnumerable<GuestMount> ToGuest(SharedPlace? place)
    {
        GuestMount mount = Guest.Clone();
        mount.Destination = Destination;
        if (place is null)
        {
            return [mount];
        }

        mount.Source = GuestPaths.InGuest(place.Path);
        if (ReadOnly && !mount.Options.Any(static option => option is "ro" or "rro"))
        {
            mount.Options.Add("ro"); // the host's mount is
        }

        return [mount, .. Within(place, Destination, ReadOnly)];
    }

    /// <summary>The mounts over what was shared before and lies in a place.</summary>
    public static IEnumerable<GuestMount> Within(SharedPlace place, string destination, bool readOnly) =>
        place.Within.Select(item => Over(item, destination, readOnly));

    /// <summary>One of them.</summary>
    public static GuestMount Over((string Place, SharedPlace Shared) item, string destination, bool readOnly) => new()
    {
        Destination = item.Place.Length == 0 ? destination : $"{destination.TrimEnd('/')}/{item.Place}",
        Type = "bind",
        Source = GuestPaths.InGuest(item.Shared.Path),
        Options = { readOnly ? ["bind", "ro"] : ["bind"] },
    };

    private static bool IsRecursive(string option) =>
        option.StartsWith('r') && !s_propagation.Contains(option)
            && SupportedFeatures.MountOptions.Contains(option) && SupportedFeatures.MountOptions.Contains(option[1..]);
}
