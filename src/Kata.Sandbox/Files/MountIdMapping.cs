using System.Globalization;
using Kata.Linux;
using Kata.Oci;

namespace Kata.Sandbox;

/// <summary>
/// The id mapping that a bind mount asks for: by lists of its own, by those of the container's user namespace (<c>idmap</c>,
/// <c>ridmap</c>), or by crun's options, as podman writes them: <c>idmap=uids=0-1000-1#1-2000-10;gids=…</c>, each range the first id on the
/// file system, the first that is seen, and how many. After an <c>@</c> the second one counts in the container's user namespace.
/// </summary>
internal static class MountIdMapping
{
    private const string Remedy = "Write 'idmap=uids=FROM-TO-COUNT;gids=FROM-TO-COUNT', "
        + "more ranges after '#', or give the mount uidMappings and gidMappings";

    /// <summary>Whether an option is one of these. The guest must not see it: the host maps.</summary>
    public static bool IsOption(string option) => option is "idmap" or "ridmap"
        || option.StartsWith("idmap=", StringComparison.Ordinal) || option.StartsWith("ridmap=", StringComparison.Ordinal);

    /// <param name="spec">The container's.</param>
    /// <param name="index">Of the mount.</param>
    /// <returns>Null for a mount without one.</returns>
    /// <exception cref="InvalidSpecException">The mount is no bind mount, or half of the mapping is missing or malformed.</exception>
    public static MountIdMap? Of(RuntimeSpec spec, int index)
    {
        MountSpec mount = spec.Mounts![index];
        string? option = mount.Options?.LastOrDefault(IsOption);
        IReadOnlyList<LinuxIdMapping> users = mount.UidMappings ?? [];
        IReadOnlyList<LinuxIdMapping> groups = mount.GidMappings ?? [];
        if (option is null && users.Count == 0 && groups.Count == 0)
        {
            return null;
        }

        string pointer = string.Create(
            CultureInfo.InvariantCulture, $"/mounts/{index}/{(users.Count + groups.Count == 0 ? "options" : "uidMappings")}");
        if (!ContainerPlanner.IsBind(mount))
        {
            throw new InvalidSpecException(
                pointer, $"the mount at '{mount.Destination}' is no bind mount, and only those can be id-mapped", "Remove the mapping");
        }

        if (users.Count + groups.Count == 0)
        {
            string ranges = option!.Split('=', 2) is [_, var text] ? text : "";
            (users, groups) = ranges.Length == 0
                ? (spec.Linux?.UidMappings ?? [], spec.Linux?.GidMappings ?? [])
                : (Parse(pointer, ranges, "uids=", spec.Linux?.UidMappings ?? []),
                    Parse(pointer, ranges, "gids=", spec.Linux?.GidMappings ?? []));
        }

        return users.Count > 0 && groups.Count > 0
            ? new MountIdMap(Lines(users), Lines(groups))
            : throw new InvalidSpecException(
                pointer, $"the mount at '{mount.Destination}' is to be id-mapped without both users and groups to map", Remedy);
    }

    private static List<LinuxIdMapping> Parse(string pointer, string text, string name, IReadOnlyList<LinuxIdMapping> container)
    {
        string ranges = text.Split(';').LastOrDefault(part => part.StartsWith(name, StringComparison.Ordinal)) ?? name;
        return [.. ranges[name.Length..].Split('#', StringSplitOptions.RemoveEmptyEntries)
            .Select(range => ParseRange(pointer, range, container))];
    }

    private static LinuxIdMapping ParseRange(string pointer, string range, IReadOnlyList<LinuxIdMapping> container)
    {
        bool relative = range.StartsWith('@');
        uint?[] numbers = [.. range[(relative ? 1 : 0)..].Split('-').Select(static number =>
            uint.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out uint value) ? value : (uint?)null)];
        if (numbers is not [{ } from, { } to, { } count] || count == 0)
        {
            throw new InvalidSpecException(pointer, $"has '{range}', which is no range of ids", Remedy);
        }

        LinuxIdMapping? around = container.FirstOrDefault(mapping => to >= mapping.ContainerId && to - mapping.ContainerId < mapping.Size);
        return new LinuxIdMapping
        {
            ContainerId = from,
            HostId = relative && around is not null ? to - around.ContainerId + around.HostId : to,
            Size = count,
        };
    }

    private static string Lines(IReadOnlyList<LinuxIdMapping> mappings) => string.Concat(
        mappings.Select(
            static mapping => string.Create(CultureInfo.InvariantCulture, $"{mapping.ContainerId} {mapping.HostId} {mapping.Size}\n")));
}
