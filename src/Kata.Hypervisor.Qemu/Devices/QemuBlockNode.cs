using System.Text.Json.Nodes;
using Kata.Hypervisor.Qemu.Qmp;

namespace Kata.Hypervisor.Qemu;

/// <summary>Where a disk's bytes are (QAPI <c>BlockdevOptions</c>), with its <c>node-name</c>.</summary>
internal sealed record QemuBlockNode(JsonObject Options) : QemuPart
{
    public override IReadOnlyList<string> Arguments => ["-blockdev", Options.ToJsonString()];

    public override IReadOnlyList<QmpCommand> Commands => [new QmpCommand("blockdev-add", Options)];

    public override QmpCommand Removal => new("blockdev-del", new JsonObject { ["node-name"] = Options["node-name"]!.GetValue<string>() });
}
