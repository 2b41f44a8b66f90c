using Kata.Agent.Boot;

namespace Kata.Agent.Devices;

/// <summary>The kernel's driver of virtio's disks, which most guests never need.</summary>
internal static class DiskDriver
{
    private const string Module = "virtio_blk";

    /// <summary>Has the kernel load it, unless it has it.</summary>
    /// <exception cref="Grpc.Core.RpcException">NotFound: there is none in the kernel, nor in the image.</exception>
    public static void Require()
    {
        if (!KernelModules.LoadIfThere(Module))
        {
            throw AgentException.NotFound(
                $"Cannot use block devices: the guest's kernel has no driver '{Module}', and its image no module. "
                + "Use an image that has one");
        }
    }
}
