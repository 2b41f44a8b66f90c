using System.Globalization;
using Kata.Configuration;
using Kata.Hypervisor;
using Kata.Linux.Interop;
using Kata.Oci;
using Kata.Runtime.Commands;
using Kata.Sandbox;
using Kata.Service;

namespace Kata.Runtime.Hosting;

/// <summary>Whether pods can be started here, as far as that shows without starting one.</summary>
internal static class HostReadiness
{
    /// <summary>A pod that nobody has asked for.</summary>
    public static SandboxId TestPod =>
        SandboxId.Parse(string.Create(CultureInfo.InvariantCulture, $"kata-check-{Environment.ProcessId}"));

    /// <summary>Plans such a pod.</summary>
    /// <exception cref="ConfigurationException">The configuration asks for what this version does not have.</exception>
    public static SandboxPlan Plan(KataConfiguration configuration, AcceleratorChoice host, SandboxDirectories directories) =>
        SandboxPlanner.Plan(
            TestPod, configuration, host, new RuntimeSpec { OciVersion = VersionCommand.OciVersion }, directories.Cgroup(TestPod));

    /// <summary>Fails where a pod could not start: the configuration, a file that is missing, the caller's rights.</summary>
    public static void Check(KataConfiguration configuration, SandboxDirectories directories)
    {
        SandboxFiles.Check(Plan(configuration, Drivers.Probe(configuration), directories));
        RequireRoot();
    }

    /// <exception cref="ArgumentException">The caller is somebody else.</exception>
    public static void RequireRoot()
    {
        if (LibC.geteuid() != 0)
        {
            throw new ArgumentException("Cannot check that a guest boots 'here': containers can be created by root only. Run as root");
        }
    }
}
