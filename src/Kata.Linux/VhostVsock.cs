using Kata.Linux.Interop;

namespace Kata.Linux;

/// <summary>A guest's end of vhost-vsock with a context id of its own. Owns the device's descriptor; closing it frees the id.</summary>
internal sealed class VhostVsock : IDisposable
{
    private const int Attempts = 32; // two of 2^32 ids meet rarely, 32 times in a row never

    private VhostVsock(SafeFileDescriptor device, uint contextId)
    {
        Device = device;
        ContextId = contextId;
    }

    public SafeFileDescriptor Device { get; }

    /// <summary>The guest's address, 3 or higher.</summary>
    public uint ContextId { get; }

    /// <summary>Opens the device and reserves a random context id.</summary>
    /// <exception cref="LinuxException">ENOENT: the host has no vhost-vsock.</exception>
    public static unsafe VhostVsock Open()
    {
        SafeFileDescriptor device = LinuxException.ThrowIfInvalid(
            LibC.open(VirtualizationDevices.VhostVsockPath, LibC.O_RDWR | LibC.O_CLOEXEC, 0),
            "open",
            $"open '{VirtualizationDevices.VhostVsockPath}'");
        try
        {
            for (int attempt = 1; ; attempt++)
            {
                ulong candidate = ToContextId(KernelRandom.UInt32());
                // SAFETY: VHOST_VSOCK_SET_GUEST_CID reads one 64-bit integer.
                if (LibC.ioctl(device, LibC.VHOST_VSOCK_SET_GUEST_CID, &candidate) == 0)
                {
                    return new VhostVsock(device, (uint)candidate);
                }

                LinuxException error = LinuxException.FromLastErrno("ioctl(VHOST_VSOCK_SET_GUEST_CID)", "reserve a vsock context id");
                if (error.Errno != Errno.EADDRINUSE || attempt == Attempts)
                {
                    throw error;
                }
            }
        }
        catch
        {
            device.Dispose();
            throw;
        }
    }

    /// <summary>0 to 2 and the highest number mean the hypervisor, the local machine, the host and "any" (linux/vm_sockets.h).</summary>
    internal static uint ToContextId(uint random) => random % (uint.MaxValue - 3) + 3;

    public void Dispose() => Device.Dispose();
}
