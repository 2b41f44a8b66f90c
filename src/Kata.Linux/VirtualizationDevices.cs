using Kata.Linux.Interop;

namespace Kata.Linux;

/// <summary>Tries the kernel's virtualization devices. The answers are causes for people, null when the device works.</summary>
internal static class VirtualizationDevices
{
    public const string KvmPath = "/dev/kvm";

    public const string VhostVsockPath = "/dev/vhost-vsock";

    private const int KvmApiVersion = 12; // the only one since Linux 2.6.22, Documentation/virt/kvm/api.rst

    /// <summary>Opens <c>/dev/kvm</c> and creates one virtual machine, which ends with its descriptor.</summary>
    public static string? ProbeKvm()
    {
        using SafeFileDescriptor kvm = LibC.open(KvmPath, LibC.O_RDWR | LibC.O_CLOEXEC, 0);
        if (kvm.IsInvalid)
        {
            return Cause("open", KvmPath);
        }

        int version = LibC.ioctl_int(kvm, LibC.KVM_GET_API_VERSION, 0);
        if (version != KvmApiVersion)
        {
            return $"'{KvmPath}' speaks KVM version {version}, not {KvmApiVersion}";
        }

        using SafeFileDescriptor machine = LibC.ioctl_descriptor(kvm, LibC.KVM_CREATE_VM, 0);
        return machine.IsInvalid ? Cause("ioctl(KVM_CREATE_VM)", KvmPath) : null;
    }

    public static string? ProbeVhostVsock()
    {
        using SafeFileDescriptor device = LibC.open(VhostVsockPath, LibC.O_RDWR | LibC.O_CLOEXEC, 0);
        return device.IsInvalid ? Cause("open", VhostVsockPath) : null;
    }

    private static string Cause(string call, string path)
    {
        LinuxException error = LinuxException.FromLastErrno(call, path);
        return error.Errno == Errno.ENOENT ? $"'{path}' does not exist" : $"'{path}' cannot be used ({error.Errno})";
    }
}
