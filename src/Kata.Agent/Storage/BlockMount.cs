using Kata.Linux;

namespace Kata.Agent.Storage;

/// <summary>Where and how the file system of a block device is mounted.</summary>
/// <param name="Path">The directory; empty before, and the guest's own.</param>
/// <param name="Type">The file system.</param>
/// <param name="Flags">mount(2)'s.</param>
/// <param name="Data">The file system's own options, or null.</param>
internal sealed record BlockMount(string Path, string Type, MountFlags Flags, string? Data)
{
    private const int TypeLimit = 32;
    private const MountFlags Other = MountFlags.MS_BIND | MountFlags.MS_REC; // of another mount

    /// <summary>Null for a storage that is left as a device.</summary>
    /// <exception cref="Grpc.Core.RpcException">InvalidArgument: the storage cannot be mounted so.</exception>
    public static BlockMount? Of(Protocol.Storage storage)
    {
        if (storage.MountPoint.Length == 0)
        {
            return null;
        }

        string path = BlockMountPoint.Check(storage.MountPoint);
        if (storage.Fstype.Length is 0 or > TypeLimit
            || !storage.Fstype.All(static c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-' or '.'))
        {
            throw AgentException.Invalid(
                $"Cannot mount a block device on '{path}': '{storage.Fstype}' is no file system. "
                + "Give the type that it was made with, such as 'ext4'");
        }

        if (storage.FsGroup is not null)
        {
            throw AgentException.Missing(
                $"Cannot mount a block device on '{path}': giving its files to a group is not supported by this agent yet");
        }

        (MountFlags flags, string? data) = MountOptions.Parse(storage.Options);
        return (flags & Other) == 0
            ? new BlockMount(path, storage.Fstype, flags, data)
            : throw AgentException.Invalid(
                $"Cannot mount a block device on '{path}': a device cannot be bound. Leave the option 'bind' out");
    }

    /// <summary>What a failure to mount was, for the host.</summary>
    public Exception Explain(LinuxException error, string device)
    {
        string start = $"Cannot mount the block device '{device}' on '{Path}' as '{Type}'";
        string cause = LinuxException.Describe(error.Errno);
        return error.Errno switch
        {
            Errno.EINVAL or Errno.EUCLEAN or Errno.EBADMSG => AgentException.Invalid(
                $"{start}: the kernel finds no such file system there, or a damaged one{OptionText}: {cause}. "
                + "Give the type that it was made with; the guest's console has the kernel's own words"),
            Errno.EROFS or Errno.EACCES when (Flags & MountFlags.MS_RDONLY) == 0 => AgentException.Invalid(
                $"{start}: the device cannot be written to: {cause}. Give the option 'ro'"),
            Errno.EROFS => AgentException.Invalid(
                $"{start}: its file system was not unmounted when it was last written to, and it cannot be written to now: {cause}. "
                + "Mount it once where it can, or give the option that leaves its journal alone ('noload' of ext4, 'norecovery' of xfs)"),
            Errno.EBUSY => AgentException.WrongState(
                $"{start}: something in the guest has the device already: {cause}. End or remove that first"),
            _ => error,
        };
    }

    private string OptionText => Data is null ? "" : $", or does not know the options '{Data}'";
}
