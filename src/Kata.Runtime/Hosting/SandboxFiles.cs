using Kata.Sandbox;
using Kata.Service;

namespace Kata.Runtime.Hosting;

/// <summary>Whether the files a pod's plan names are there, before anything is made.</summary>
internal static class SandboxFiles
{
    /// <exception cref="FileNotFoundException">One is missing; the text says which, where it is set and what to do.</exception>
    public static void Check(SandboxPlan plan)
    {
        Require(plan.Machine.HypervisorPath, "hypervisor", "Install 'qemu-system-x86', or set hypervisor.qemu.path");
        Require(
            plan.VirtioFsDaemonPath,
            "shared file system daemon",
            "Install 'virtiofsd' (Debian 12: 'qemu-system-common'), or set hypervisor.qemu.virtio_fs_daemon");
        Require(
            plan.Machine.KernelPath,
            "guest kernel",
            "Run 'make install' (in a clone 'make guest'), or set hypervisor.qemu.kernel");
        if (plan.Machine.InitrdPath is { } initrd)
        {
            Require(initrd, "guest image", "Run 'make install' (in a clone 'make guest'), or set hypervisor.qemu.initrd");
        }
    }

    private static void Require(string path, string what, string remedy)
    {
        HostFileKind kind = HostFileProbe.Instance.KindOf(path);
        if (kind != HostFileKind.RegularFile)
        {
            string cause = kind == HostFileKind.Missing ? "does not exist" : "is not a regular file";
            throw new FileNotFoundException($"Cannot use the {what} '{path}': it {cause}. {remedy}");
        }
    }
}
