namespace Kata.Runtime.Commands;

// The tables of kata-env; names and their spelling are Kata's schema.

internal sealed record MetaSection(string Version);

internal sealed record RuntimeSection(string Version, string Commit, string OCI, string ConfigPath, string Path, bool DisableGuestSeccomp);

internal sealed record HypervisorSection(
    string MachineType, string Path, string SharedFS, string VirtioFSDaemon, string Accelerator, string AgentTransport, string Reason);

internal sealed record AssetSection(string Path, string Parameters);

internal sealed record HostSection(string Kernel, string Architecture, string Distro, int CPUs, bool VMContainerCapable, bool SupportVSocks);
