using Kata.Agent.Boot;

namespace Kata.Agent.Network;

/// <summary>The kernel's driver of virtio's network cards, which a pod without a network does not need.</summary>
internal static class NetworkDriver
{
    private const string Module = "virtio_net";

    /// <summary>Has the kernel load it, unless it has it.</summary>
    /// <exception cref="Grpc.Core.RpcException">NotFound: there is none in the kernel, nor in the image.</exception>
    public static void Require()
    {
        if (!KernelModules.LoadIfThere(Module))
        {
            throw AgentException.NotFound(
                $"Cannot use network cards: the guest's kernel has no driver '{Module}', and its image no module. "
                + "Use an image that has one");
        }
    }
}
