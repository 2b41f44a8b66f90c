using Kata.Configuration;
using Kata.Sandbox;

namespace Kata.Runtime.Commands;

/// <summary>
/// The files that a pod's machine is made of: what an administrator compares after an upgrade to see which pods still run the old ones.
/// </summary>
internal sealed record MachineAssets(MachineAsset HypervisorAsset, MachineAsset ImageAsset, MachineAsset KernelAsset)
{
    /// <summary>What the configuration says now.</summary>
    public static MachineAssets Of(HypervisorConfig configuration) =>
        Of(configuration.Path, configuration.InitrdPath ?? configuration.ImagePath, configuration.KernelPath);

    /// <summary>What a pod was made of; null while that is not written yet.</summary>
    public static MachineAssets? Of(SandboxState? pod) =>
        pod is { Hypervisor: { } hypervisor, KernelPath: { } kernel } ? Of(hypervisor, pod.ImagePath, kernel) : null;

    /// <summary>By path: a file that was replaced in its place is the same here.</summary>
    public IReadOnlyList<string> DifferencesFrom(MachineAssets latest) =>
    [
        .. HypervisorAsset.Path != latest.HypervisorAsset.Path ? new[] { "hypervisor" } : [],
        .. KernelAsset.Path != latest.KernelAsset.Path ? new[] { "kernel" } : [],
        .. ImageAsset.Path != latest.ImageAsset.Path ? new[] { "image" } : [],
    ];

    // Which of them an annotation chose is not kept with the pod.
    private static MachineAssets Of(string hypervisor, string? image, string kernel) =>
        new(new MachineAsset(hypervisor, false), new MachineAsset(image ?? "", false), new MachineAsset(kernel, false));
}
