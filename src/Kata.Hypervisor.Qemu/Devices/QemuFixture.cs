using Kata.Hypervisor.Qemu.Qmp;

namespace Kata.Hypervisor.Qemu;

/// <summary>What a machine only has from its start.</summary>
internal sealed record QemuFixture(params IReadOnlyList<string> Words) : QemuPart
{
    public override IReadOnlyList<string> Arguments => Words;

    public override IReadOnlyList<QmpCommand> Commands =>
        throw new InvalidOperationException($"QEMU takes '{string.Join(' ', Words)}' only before it starts");

    public override QmpCommand? Removal => null;
}
