using Kata.Configuration;
using Kata.Hypervisor;
using Kata.Runtime.Hosting;
using Kata.Sandbox;
using Kata.Service;

namespace Kata.Runtime.Commands;

/// <summary>What <c>kata-env</c> prints: which files, which accelerator, which channel, and why. Key names are Kata's.</summary>
internal sealed record KataEnvironment(
    MetaSection Meta, RuntimeSection Runtime, HypervisorSection Hypervisor, KernelSection Kernel, AssetSection Initrd,
    FileSharingSection FileSharing, HostSection Host)
{
    /// <summary>The schema that the key names follow.</summary>
    private const string SchemaVersion = "1.0.27";

    public static async Task<KataEnvironment> ReadAsync(KataConfiguration configuration)
    {
        AcceleratorChoice choice = Drivers.Probe(configuration);
        HypervisorConfig hypervisor = configuration.Hypervisor;
        return new KataEnvironment(
            new MetaSection(SchemaVersion),
            new RuntimeSection(
                RuntimeVersion.Number, RuntimeVersion.Commit, VersionCommand.OciVersion, configuration.Path ?? "built in",
                Environment.ProcessPath ?? "", configuration.Runtime.DisableGuestSeccomp),
            new HypervisorSection(
                hypervisor.MachineType, hypervisor.Path, hypervisor.SharedFs, hypervisor.VirtioFsDaemonPath,
                choice.Accelerator.ToString().ToLowerInvariant(), choice.AgentTransport == AgentTransport.Vsock ? "vsock" : "virtio-serial",
                choice.Reason),
            new KernelSection(hypervisor.KernelPath, hypervisor.KernelParameters, KernelFile.ReadRelease(hypervisor.KernelPath)),
            new AssetSection(hypervisor.InitrdPath ?? "", ""),
            await FileSharingSection.ReadAsync(hypervisor.VirtioFsDaemonPath),
            new HostSection(
                HostInformation.KernelRelease(),
                System.Runtime.InteropServices.RuntimeInformation.OSArchitecture.ToString().ToLowerInvariant(),
                HostInformation.Distribution(), Environment.ProcessorCount, true, choice.AgentTransport == AgentTransport.Vsock));
    }
}
