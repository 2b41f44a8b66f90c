using Kata.Hypervisor.Qemu.Qmp;

namespace Kata.Hypervisor.Qemu;

/// <summary>Where a network card's packets go (QAPI <c>NetdevTapOptions</c>): the queues of a tap device that the service opened.</summary>
/// <param name="Id">Its name.</param>
/// <param name="Queues">The tap's.</param>
/// <param name="VhostQueues">As many of vhost-net; none where QEMU carries the packets itself.</param>
internal sealed record QemuTap(string Id, IReadOnlyList<QemuHandle> Queues, IReadOnlyList<QemuHandle> VhostQueues) : QemuPart
{
    public override IReadOnlyList<string> Arguments =>
    [
        "-netdev",
        $"tap,id={Id},{string.Join(',', Descriptors.Select(static item => $"{item.Key}={item.Names}"))}"
            + (VhostQueues.Count > 0 ? ",vhost=on" : ""),
    ];

    public override IReadOnlyList<QmpCommand> Commands
    {
        get
        {
            QmpObject options = new() { ["type"] = "tap", ["id"] = Id };
            foreach ((string key, string names) in Descriptors)
            {
                options[key] = names;
            }

            if (VhostQueues.Count > 0)
            {
                options["vhost"] = true;
            }

            return [new QmpCommand("netdev_add", options)];
        }
    }

    public override QmpCommand Removal => new("netdev_del", new QmpObject { ["id"] = Id });

    // One queue and several have different options.
    private IEnumerable<(string Key, string Names)> Descriptors
    {
        get
        {
            bool many = Queues.Count > 1;
            yield return (many ? "fds" : "fd", Names(Queues));
            if (VhostQueues.Count > 0)
            {
                yield return (many ? "vhostfds" : "vhostfd", Names(VhostQueues));
            }
        }
    }

    private static string Names(IEnumerable<QemuHandle> handles) => string.Join(':', handles.Select(static handle => handle.Name));
}
