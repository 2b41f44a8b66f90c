using Kata.Hypervisor.Qemu.Qmp;

namespace Kata.Hypervisor.Qemu;

/// <summary>Where a disk's bytes are (QAPI <c>BlockdevOptions</c>), with its <c>node-name</c>.</summary>
internal sealed record QemuBlockNode(QmpObject Options) : QemuPart
{
    public override IReadOnlyList<string> Arguments => ["-blockdev", Options.ToJson()];

    public override IReadOnlyList<QmpCommand> Commands => [new QmpCommand("blockdev-add", Options)];

    public override QmpCommand Removal => new("blockdev-del", new QmpObject { ["node-name"] = Options["node-name"] });
}
