using Kata.Hypervisor.Qemu.Qmp;

namespace Kata.Hypervisor.Qemu;

/// <summary>A helper object of a device (QAPI <c>ObjectOptions</c>), with its <c>qom-type</c> and <c>id</c>.</summary>
internal sealed record QemuObject(QmpObject Options) : QemuPart
{
    public override IReadOnlyList<string> Arguments => ["-object", Options.ToJson()];

    public override IReadOnlyList<QmpCommand> Commands => [new QmpCommand("object-add", Options)];

    public override QmpCommand Removal => new("object-del", new QmpObject { ["id"] = Options["id"] });
}
