using System.Text.Json.Nodes;
using Kata.Hypervisor.Qemu.Qmp;

namespace Kata.Hypervisor.Qemu;

/// <summary>A helper object of a device (QAPI <c>ObjectOptions</c>), with its <c>qom-type</c> and <c>id</c>.</summary>
internal sealed record QemuObject(JsonObject Options) : QemuPart
{
    public override IReadOnlyList<string> Arguments => ["-object", Options.ToJsonString()];

    public override IReadOnlyList<QmpCommand> Commands => [new QmpCommand("object-add", Options)];

    public override QmpCommand Removal => new("object-del", new JsonObject { ["id"] = Options["id"]!.GetValue<string>() });
}
