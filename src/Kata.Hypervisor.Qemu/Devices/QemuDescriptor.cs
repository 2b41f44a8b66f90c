using Kata.Hypervisor.Qemu.Qmp;

namespace Kata.Hypervisor.Qemu;

/// <summary>
/// A descriptor that the next part names. QEMU inherits it, or is passed it; whatever takes it by its name has it for itself.
/// </summary>
internal sealed record QemuDescriptor(QemuHandle Handle, int Index) : QemuPart
{
    public override IReadOnlyList<string> Arguments => [];

    public override IReadOnlyList<QmpCommand> Commands => [new QmpCommand("getfd", new QmpObject { ["fdname"] = Handle.Name })];

    public override QmpCommand Removal => new("closefd", new QmpObject { ["fdname"] = Handle.Name }); // of one that nothing took

    public override int? Passes => Index;
}
