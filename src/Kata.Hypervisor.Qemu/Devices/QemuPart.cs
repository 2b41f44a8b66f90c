using Kata.Hypervisor.Qemu.Qmp;

namespace Kata.Hypervisor.Qemu;

/// <summary>
/// One thing that QEMU makes for a device. Both of its forms come from the same values: the arguments of the command line, for a machine
/// that is to be started, and the commands of the control channel, for one that runs. Parts are made in order and removed in reverse.
/// </summary>
internal abstract record QemuPart
{
    /// <summary>For the command line.</summary>
    public abstract IReadOnlyList<string> Arguments { get; }

    /// <summary>For the control channel. With the last but the frontend's, in order; a command that passes a descriptor says so.</summary>
    public abstract IReadOnlyList<QmpCommand> Commands { get; }

    /// <summary>Takes it away again; null when it goes by itself.</summary>
    public abstract QmpCommand? Removal { get; }

    /// <summary>Which of the device's descriptors goes with the first of <see cref="Commands"/>, or null.</summary>
    public virtual int? Passes => null;
}
