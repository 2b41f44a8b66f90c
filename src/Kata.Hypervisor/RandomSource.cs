using Kata.Linux;
using Kata.Linux.Interop;

namespace Kata.Hypervisor;

/// <summary>Where a guest's random numbers come from.</summary>
internal static class RandomSource
{
    /// <summary>The host kernel's own generator, which needs no device: getrandom(2).</summary>
    public const string Kernel = "/dev/urandom";

    /// <summary>Opens it for reading, without waiting: the VMM reads as it was opened. The caller owns the result.</summary>
    /// <exception cref="HypervisorException">It is missing, or no character device.</exception>
    public static SafeFileDescriptor Open(string path)
    {
        const string Remedy = "Set 'entropy_source' in the [hypervisor.qemu] section to a character device such as /dev/urandom";
        SafeFileDescriptor file = LibC.open(path, LibC.O_RDONLY | LibC.O_CLOEXEC | LibC.O_NONBLOCK | LibC.O_NOCTTY, 0);
        if (file.IsInvalid)
        {
            LinuxException error = LinuxException.FromLastErrno("open", $"open '{path}'");
            file.Dispose();
            throw new HypervisorException($"Cannot open the source of random numbers '{path}': {error.Errno}. {Remedy}", error);
        }

        if (!FileStatus.Of(file).IsCharacterDevice)
        {
            file.Dispose();
            throw new HypervisorException($"Cannot use the source of random numbers '{path}': it is no character device. {Remedy}");
        }

        return file;
    }
}
