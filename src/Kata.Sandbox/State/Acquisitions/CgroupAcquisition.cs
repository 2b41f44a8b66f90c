using System.Collections.Immutable;
using Kata.Linux;

namespace Kata.Sandbox;

/// <summary>A control group with every process of the pod inside. Released by killing them all and removing it.</summary>
/// <param name="Path">Its directory, or its path in a hierarchy as <see cref="CgroupSet.Plan"/> writes it.</param>
internal sealed record CgroupAcquisition(string Path) : Acquisition(Name, Path)
{
    public const string Name = "Cgroup";

    public override async Task ReleaseAsync(CancellationToken cancellationToken)
    {
        if (HostCgroup.Open(CgroupLayout.Read(), Path) is { } cgroup)
        {
            await cgroup.KillAllAsync(KillTimeout, ImmutableHashSet<int>.Empty, cancellationToken);
            await cgroup.RemoveAsync(KillTimeout, cancellationToken);
        }
    }
}
