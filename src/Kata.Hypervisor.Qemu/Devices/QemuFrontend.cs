using Kata.Hypervisor.Qemu.Qmp;

namespace Kata.Hypervisor.Qemu;

/// <summary>
/// What the guest sees, with its <c>driver</c> and <c>id</c>. Removed by <c>device_del</c>, with the guest's help: see there.
/// </summary>
internal sealed record QemuFrontend(QmpObject Options) : QemuPart
{
    public override IReadOnlyList<string> Arguments => ["-device", Options.ToJson()];

    public override IReadOnlyList<QmpCommand> Commands => [new QmpCommand("device_add", Options)];

    public override QmpCommand? Removal => null;
}
