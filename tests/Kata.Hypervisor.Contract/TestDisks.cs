using Kata.Linux;
using Kata.Linux.Interop;

namespace Kata.Hypervisor.Contract;

/// <summary>Raw images for tests, each removed as soon as it is open.</summary>
internal static class TestDisks
{
    /// <summary>A disk of the name, with its image among the descriptors: 4 MiB of holes.</summary>
    public static DiskDevice Add(DeviceDescriptors descriptors, string name, bool readOnly = false)
    {
        var disk = new DiskDevice(new DeviceId(name), readOnly, IsBlockDevice: false);
        descriptors.Add(disk.Id, Open(readOnly ? LibC.O_RDONLY : LibC.O_RDWR));
        return disk;
    }

    /// <summary>The image alone. The caller owns it.</summary>
    public static SafeFileDescriptor Open(int flags)
    {
        string path = Path.GetTempFileName();
        using (FileStream file = File.OpenWrite(path))
        {
            file.SetLength(4 << 20);
        }

        SafeFileDescriptor image = LinuxException.ThrowIfInvalid(LibC.open(path, flags | LibC.O_CLOEXEC, 0), "open", $"open '{path}'");
        File.Delete(path);
        return image;
    }
}
