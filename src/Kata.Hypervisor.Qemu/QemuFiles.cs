using Kata.Linux;
using Kata.Linux.Interop;

namespace Kata.Hypervisor.Qemu;

/// <summary>
/// The files that a machine is started from. By descriptor: QEMU's user may not be allowed to read them, and nobody can swap them any more.
/// </summary>
internal sealed class QemuFiles : IDisposable
{
    private readonly SafeFileDescriptor _kernel;
    private readonly SafeFileDescriptor? _initrd;

    private QemuFiles(string executable, SafeFileDescriptor kernel, SafeFileDescriptor? initrd) =>
        (Executable, _kernel, _initrd) = (executable, kernel, initrd);

    /// <summary>QEMU's program, with links resolved.</summary>
    public string Executable { get; }

    /// <exception cref="HypervisorException">One of them is missing or not of its kind.</exception>
    public static QemuFiles Open(MachineConfig config)
    {
        string executable = ResolveExecutable(config.HypervisorPath);
        SafeFileDescriptor kernel = OpenRegularFile(config.KernelPath, "kernel");
        try
        {
            return new QemuFiles(executable, kernel, config.InitrdPath is { } path ? OpenRegularFile(path, "initrd") : null);
        }
        catch
        {
            kernel.Dispose();
            throw;
        }
    }

    /// <summary>
    /// The jail in which QEMU has these files, under the names that <see cref="QemuCommandLine"/> gives them, and the sockets of its
    /// devices.
    /// </summary>
    public JailOptions JailOptions(MachineConfig config, MachineResources resources)
    {
        Dictionary<string, SafeFileDescriptor> files = new() { [QemuCommandLine.KernelName] = _kernel };
        if (_initrd is not null)
        {
            files[QemuCommandLine.InitrdName] = _initrd;
        }

        foreach (VhostUserNetworkDevice card in config.Devices.OfType<VhostUserNetworkDevice>())
        {
            files[QemuDevices.DirectoryOf(card)] = resources.Descriptors.Of(card)[0];
        }

        return new JailOptions
        {
            MountPoint = resources.RuntimeDirectory,
            ReadOnlyPaths = QemuJail.ReadOnlyPaths(Executable),
            Files = files,
            WithKvm = config.Accelerator == Accelerator.Kvm,
            UserId = config.JailUserId,
            GroupId = config.JailGroupId,
        };
    }

    public void Dispose()
    {
        _kernel.Dispose();
        _initrd?.Dispose();
    }

    private static string ResolveExecutable(string path)
    {
        try
        {
            FileSystemInfo? target = File.ResolveLinkTarget(path, returnFinalTarget: true);
            string resolved = target?.FullName ?? path;
            if (File.Exists(resolved))
            {
                return resolved;
            }
        }
        catch (IOException)
        {
            // Missing or a loop of links: told below.
        }

        throw new HypervisorException(
            $"Cannot find the hypervisor '{path}': no such file. Install qemu-system-x86, or set 'path' in the [hypervisor.qemu] section");
    }

    private static SafeFileDescriptor OpenRegularFile(string path, string key)
    {
        SafeFileDescriptor file = LibC.open(path, LibC.O_RDONLY | LibC.O_CLOEXEC | LibC.O_NONBLOCK | LibC.O_NOCTTY, 0);
        if (file.IsInvalid)
        {
            LinuxException error = LinuxException.FromLastErrno("open", $"open '{path}'");
            file.Dispose();
            throw new HypervisorException(
                $"Cannot open the guest's {key} '{path}': {error.Errno}. Set '{key}' in the [hypervisor.qemu] section to an existing file",
                error);
        }

        FileStatus status = FileStatus.Of(file);
        if (!status.IsRegularFile || status.Size == 0)
        {
            file.Dispose();
            throw new HypervisorException(
                $"Cannot use the guest's {key} '{path}': it is {(status.IsRegularFile ? "empty" : "not a regular file")}. "
                + $"Set '{key}' in the [hypervisor.qemu] section to a {key} image");
        }

        return file;
    }
}
