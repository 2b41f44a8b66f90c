using Kata.Hypervisor.Qemu.Qmp;

namespace Kata.Hypervisor.Qemu;

/// <summary>
/// A byte stream to a socket that QEMU finds by a path of its jail and connects to, also again after a second. Of such ones alone QEMU
/// believes that they pass descriptors: a vhost-user card takes no other (up to 10.0).
/// </summary>
internal sealed record QemuPathSocket(string Id, string Path) : QemuPart
{
    private const int ReconnectSeconds = 1;

    public override IReadOnlyList<string> Arguments => ["-chardev", $"socket,id={Id},path={Path},reconnect={ReconnectSeconds}"];

    public override IReadOnlyList<QmpCommand> Commands =>
    [
        new QmpCommand("chardev-add", new QmpObject
        {
            ["id"] = Id,
            ["backend"] = new QmpObject
            {
                ["type"] = "socket",
                ["data"] = new QmpObject
                {
                    ["addr"] = new QmpObject { ["type"] = "unix", ["data"] = new QmpObject { ["path"] = Path } },
                    ["server"] = false,
                    ["reconnect"] = ReconnectSeconds,
                },
            },
        }),
    ];

    public override QmpCommand Removal => new("chardev-remove", new QmpObject { ["id"] = Id });
}
