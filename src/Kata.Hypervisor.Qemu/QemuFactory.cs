using Kata.Linux;
using Kata.Linux.Interop;

namespace Kata.Hypervisor.Qemu;

/// <summary>Makes virtual machines that QEMU runs.</summary>
internal sealed class QemuFactory(TimeProvider? timeProvider = null) : IVirtualMachineFactory
{
    /// <summary><c>tag</c> of <c>struct virtio_fs_config</c>, linux/virtio_fs.h, as QEMU limits it.</summary>
    private const int MaxTagBytes = 35;

    /// <summary>Less than this no kernel boots with; QEMU would start and the guest stay silent.</summary>
    private const int MinMemoryMib = 64;

    private readonly TimeProvider _time = timeProvider ?? TimeProvider.System;

    public string Name => "qemu";

    public Task<IVirtualMachine> CreateAsync(VirtualMachineConfig config, VirtualMachineResources resources, CancellationToken cancellationToken)
    {
        SafeFileDescriptor? kernel = null, initrd = null, entropy = null;
        try
        {
            cancellationToken.ThrowIfCancellationRequested();
            Check(config, resources);
            string executable = ResolveExecutable(config.HypervisorPath);
            kernel = OpenRegularFile(config.KernelPath, "kernel");
            initrd = config.InitrdPath is { } path ? OpenRegularFile(path, "initrd") : null;
            entropy = config.EntropySource == VirtualMachineConfig.KernelEntropy ? null : OpenEntropySource(config.EntropySource);
            return Task.FromResult<IVirtualMachine>(new QemuVirtualMachine(config, resources, executable, kernel, initrd, entropy, _time));
        }
        catch (Exception error)
        {
            kernel?.Dispose();
            initrd?.Dispose();
            entropy?.Dispose();
            resources.Dispose();
            return Task.FromException<IVirtualMachine>(error);
        }
    }

    private static void Check(VirtualMachineConfig config, VirtualMachineResources resources)
    {
        Require(config.VcpuCount is >= 1 and <= 240, config, $"{config.VcpuCount} processors", "Choose 1 to 240");
        Require(config.MemoryMib >= MinMemoryMib, config, $"{config.MemoryMib} MiB of memory", $"Choose {MinMemoryMib} MiB or more");
        Require(
            config.MachineType.Length > 0 && config.MachineType.All(static c => char.IsAsciiLetterOrDigit(c) || c is '-' or '.'),
            config,
            $"the machine type '{PrintableText.Escape(config.MachineType)}'",
            "Name one that 'qemu-system-x86_64 -machine help' lists, for example q35");
        foreach (SharedFilesystem shared in config.SharedFilesystems)
        {
            Require(
                System.Text.Encoding.UTF8.GetByteCount(shared.Tag) is > 0 and <= MaxTagBytes,
                config,
                $"the shared file system tag '{PrintableText.Escape(shared.Tag)}'",
                $"Use 1 to {MaxTagBytes} bytes");
            if (!resources.SharedFilesystemSockets.ContainsKey(shared.Tag))
            {
                throw new ArgumentException($"The shared file system '{shared.Tag}' has no socket", nameof(resources));
            }
        }
    }

    private static void Require(bool valid, VirtualMachineConfig config, string what, string fix)
    {
        if (!valid)
        {
            throw new HypervisorException($"Cannot create the virtual machine '{config.Name}': QEMU cannot run with {what}. {fix}");
        }
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

    // QEMU reads it without waiting, as it was opened.
    private static SafeFileDescriptor OpenEntropySource(string path)
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

    // By descriptor from here on: QEMU's user may not be allowed to read the file, and nobody can swap it any more.
    private static SafeFileDescriptor OpenRegularFile(string path, string key)
    {
        SafeFileDescriptor file = LibC.open(path, LibC.O_RDONLY | LibC.O_CLOEXEC | LibC.O_NONBLOCK | LibC.O_NOCTTY, 0);
        if (file.IsInvalid)
        {
            LinuxException error = LinuxException.FromLastErrno("open", $"open '{path}'");
            file.Dispose();
            throw new HypervisorException(
                $"Cannot open the guest's {key} '{path}': {error.Errno}. Set '{key}' in the [hypervisor.qemu] section to an existing file", error);
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
