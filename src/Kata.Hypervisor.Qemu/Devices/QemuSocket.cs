using Kata.Hypervisor.Qemu.Qmp;

namespace Kata.Hypervisor.Qemu;

/// <summary>A byte stream over a socket that the service opened: connected, or listening for whoever opens the channel.</summary>
internal sealed record QemuSocket(string Id, QemuHandle Handle, int Index, bool Listens) : QemuPart
{
    public override IReadOnlyList<string> Arguments =>
        ["-chardev", $"socket,id={Id},fd={Handle.Name}{(Listens ? ",server=on,wait=off" : "")}"];

    public override IReadOnlyList<QmpCommand> Commands =>
    [
        new QmpCommand("getfd", new QmpObject { ["fdname"] = Handle.Name }),
        new QmpCommand("chardev-add", new QmpObject
        {
            ["id"] = Id,
            ["backend"] = new QmpObject
            {
                ["type"] = "socket",
                ["data"] = new QmpObject
                {
                    ["addr"] = new QmpObject { ["type"] = "fd", ["data"] = new QmpObject { ["str"] = Handle.Name } },
                    ["server"] = Listens,
                    ["wait"] = false,
                },
            },
        }),
    ];

    public override QmpCommand Removal => new("chardev-remove", new QmpObject { ["id"] = Id });

    public override int? Passes => Index;
}
