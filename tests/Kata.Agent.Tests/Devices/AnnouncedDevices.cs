using System.Text;
using Kata.Agent.Devices;
using Kata.Linux;
using Kata.Linux.Interop;
using Microsoft.Extensions.Logging.Abstractions;

namespace Kata.Agent.Tests;

/// <summary>A registry, and the kernel's end of its socket.</summary>
internal sealed class AnnouncedDevices : IDisposable
{
    private readonly SafeFileDescriptor _kernel;

    public unsafe AnnouncedDevices()
    {
        int* ends = stackalloc int[2];
        // SAFETY: the kernel fills the two numbers, which live on this frame.
        LinuxException.ThrowIfNegative(
            LibC.socketpair(LibC.AF_UNIX, LibC.SOCK_DGRAM | LibC.SOCK_CLOEXEC, 0, ends), "socketpair", "stand for the kernel");
        _kernel = new SafeFileDescriptor(ends[0]);
        Registry = new DeviceRegistry(new SafeFileDescriptor(ends[1]), NullLogger.Instance);
    }

    public DeviceRegistry Registry { get; }

    public void Announce(string subsystem) => Send(Encoding.ASCII.GetBytes($"add@/devices/x\0ACTION=add\0SUBSYSTEM={subsystem}\0"));

    public void Send(byte[] message) => DescriptorWriter.Write(_kernel, message, "announce a device");

    public void Dispose()
    {
        Registry.Dispose();
        _kernel.Dispose();
    }
}
