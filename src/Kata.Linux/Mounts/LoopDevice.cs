using System.Globalization;
using Kata.Linux.Interop;

namespace Kata.Linux;

/// <summary>
/// A block device of the host over a regular file, loop(4). The kernel takes it back when nobody has it open or mounted any more, so it
/// cannot be left behind.
/// </summary>
/// <param name="path">Its node.</param>
/// <param name="device">It, open; owned.</param>
internal sealed class LoopDevice(string path, SafeFileDescriptor device) : IDisposable
{
    /// <summary>Somebody else may take the one that is free, again and again.</summary>
    private const int MaxAttempts = 64;

    public string Path { get; } = path;

    /// <summary>Makes one.</summary>
    /// <param name="image">Absolute path of the file, in the mount namespace of the calling thread.</param>
    /// <param name="readOnly">Nothing can be written to the file through it.</param>
    /// <exception cref="LinuxException">The file cannot be opened, or the host has no loop devices.</exception>
    public static unsafe LoopDevice Attach(string image, bool readOnly)
    {
        string action = $"make a loop device of '{image}'";
        int access = LibC.O_CLOEXEC | (readOnly ? LibC.O_RDONLY : LibC.O_RDWR);
        using SafeFileDescriptor file = LinuxException.ThrowIfInvalid(LibC.open(image, access, 0), "open", $"open the image '{image}'");
        using SafeFileDescriptor control = LinuxException.ThrowIfInvalid(
            LibC.open("/dev/loop-control", LibC.O_RDWR | LibC.O_CLOEXEC, 0), "open(/dev/loop-control)", action);
        for (int attempt = 1; ; attempt++)
        {
            int number = LinuxException.ThrowIfNegative(
                LibC.ioctl_int(control, LibC.LOOP_CTL_GET_FREE, 0), "ioctl(LOOP_CTL_GET_FREE)", action);
            string path = string.Create(CultureInfo.InvariantCulture, $"/dev/loop{number}");
            SafeFileDescriptor device = LinuxException.ThrowIfInvalid(LibC.open(path, access, 0), "open", $"open '{path}'");
            var config = new LoopConfig
            {
                fd = (uint)file.Number,
                info = new LoopInfo64 { lo_flags = LibC.LO_FLAGS_AUTOCLEAR | (readOnly ? LibC.LO_FLAGS_READ_ONLY : 0) },
            };
            // SAFETY: the kernel reads the 304 bytes of the structure during the call.
            if (LibC.ioctl(device, LibC.LOOP_CONFIGURE, &config) >= 0)
            {
                return new LoopDevice(path, device);
            }

            LinuxException error = LinuxException.FromLastErrno("ioctl(LOOP_CONFIGURE)", action);
            device.Dispose();
            if (error.Errno != Errno.EBUSY || attempt == MaxAttempts)
            {
                throw error;
            }
        }
    }

    public void Dispose() => device.Dispose();
}
