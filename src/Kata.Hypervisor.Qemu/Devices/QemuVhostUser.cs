using System.Globalization;
using Kata.Hypervisor.Qemu.Qmp;

namespace Kata.Hypervisor.Qemu;

/// <summary>Where a network card's packets go (QAPI <c>NetdevVhostUserOptions</c>): to the program at the other end of a socket.</summary>
/// <param name="Id">Its name.</param>
/// <param name="Channel">The socket's name, a <see cref="QemuPathSocket"/>'s.</param>
/// <param name="Queues">Pairs of queues.</param>
internal sealed record QemuVhostUser(string Id, string Channel, int Queues) : QemuPart
{
    public override IReadOnlyList<string> Arguments =>
        ["-netdev", string.Create(CultureInfo.InvariantCulture, $"vhost-user,id={Id},chardev={Channel},queues={Queues}")];

    public override IReadOnlyList<QmpCommand> Commands =>
    [
        new QmpCommand("netdev_add", new QmpObject
        {
            ["type"] = "vhost-user", ["id"] = Id, ["chardev"] = Channel, ["queues"] = Queues,
        }),
    ];

    public override QmpCommand Removal => new("netdev_del", new QmpObject { ["id"] = Id });
}
