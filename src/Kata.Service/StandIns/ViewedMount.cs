using Kata.Linux;
using Kata.Sandbox;

namespace Kata.Service;

/// <summary>One mount of a container as its stand-in shows it, and as it is handed to the stand-in on its command line.</summary>
/// <param name="Source">A path of the host; null for what only the guest has.</param>
/// <param name="Destination">In the container.</param>
/// <param name="ReadOnly">It cannot be written through this mount.</param>
/// <param name="Recursive">With what is mounted below the source.</param>
/// <param name="IdMap">Which owners its files have in the container instead of their own; null for their own.</param>
internal sealed record ViewedMount(string? Source, string Destination, bool ReadOnly, bool Recursive, MountIdMap? IdMap)
{
    /// <summary>How many arguments <see cref="ToArguments"/> gives.</summary>
    private const int ArgumentCount = 4;

    /// <summary>All of a plan but <c>/proc</c>, which a stand-in has of its own.</summary>
    public static IReadOnlyList<ViewedMount> Of(ContainerPlan plan) =>
    [
        .. plan.Mounts.Where(static mount => mount.Guest.Type != "proc").Select(static mount => new ViewedMount(
            mount.Shared is { Mounts.Count: 0 } shared ? shared.HostPath : null, // an overlay must not be mounted twice
            mount.Guest.Destination, mount.Shared?.ReadOnly ?? true, mount.Shared?.Recursive ?? false, mount.Shared?.IdMap)),
    ];

    /// <summary>For the command line.</summary>
    public string[] ToArguments() =>
    [
        $"{(ReadOnly ? "ro" : "rw")}{(Recursive ? "-tree" : "")}", Source ?? "", Destination,
        IdMap is { } map ? $"{map.Users}/{map.Groups}" : "",
    ];

    /// <summary>The inverse, for any number of mounts.</summary>
    public static IReadOnlyList<ViewedMount> Parse(IReadOnlyList<string> arguments) =>
    [
        .. arguments.Chunk(ArgumentCount).Select(static part => new ViewedMount(
            part[1].Length == 0 ? null : part[1], part[2], part[0].StartsWith("ro", StringComparison.Ordinal),
            part[0].EndsWith("-tree", StringComparison.Ordinal),
            part[3].Split('/') is [var users, var groups] ? new MountIdMap(users, groups) : null)),
    ];
}
