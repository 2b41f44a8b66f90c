using System.Globalization;
using Kata.Linux;
using Kata.Netlink;

namespace Kata.Network;

/// <summary>
/// A network card of the host whose interface is in a pod's network namespace, and goes while the pod's guest has the card itself: all that
/// there was, to bring it back by.
/// </summary>
/// <param name="Device">The card.</param>
/// <param name="Driver">Its driver.</param>
/// <param name="Forced">The only driver that may take it, as somebody has set; null for any.</param>
/// <param name="Inode">The number of the pod's namespace.</param>
/// <param name="Path">Where that was found.</param>
/// <param name="State">The interface.</param>
internal sealed record HostCard(PciAddress Device, string Driver, string? Forced, ulong Inode, string Path, LinkState State)
{
    private const int Parts = 10;
    private const char None = '-';

    /// <summary>How long a driver may take until its interface is there.</summary>
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(10);

    /// <summary>What a link of a namespace is by now.</summary>
    /// <exception cref="NetworkException">It has no driver, or the kernel refused.</exception>
    public static HostCard Read(PciBus bus, NetworkNamespace space, Link link, PciAddress device)
    {
        try
        {
            return new HostCard(
                device,
                bus.DriverOf(device)
                    ?? throw new NetworkException(
                        $"Cannot give the interface '{link.Name}' to the guest: its device '{device}' has no driver"),
                bus.OverrideOf(device), space.Inode, space.Path, LinkState.Read(space.Netlink, link));
        }
        catch (NetlinkException error)
        {
            throw new NetworkException($"Cannot read the interface '{link.Name}' of '{space.Path}'", error);
        }
    }

    /// <summary>What <see cref="ToString"/> wrote; null for what it did not.</summary>
    public static HostCard? Parse(string text)
    {
        string[] parts = text.Split(' ', Parts);
        if (parts is not [var inode, var device, var driver, var forced, var name, var link, var mtu, var flags, var records, var path]
            || !ulong.TryParse(inode, NumberStyles.None, CultureInfo.InvariantCulture, out ulong number)
            || !PciAddress.TryParse(device, out PciAddress? address)
            || !LinkAddress.TryParse(link, out LinkAddress hardware)
            || !uint.TryParse(mtu, NumberStyles.None, CultureInfo.InvariantCulture, out uint size)
            || !uint.TryParse(flags, NumberStyles.None, CultureInfo.InvariantCulture, out uint set)
            || ReadRecords(records) is not { } events)
        {
            return null;
        }

        var state = new LinkState(
            name, hardware, size, ((LinkFlags)set).HasFlag(LinkFlags.Up), ((LinkFlags)set).HasFlag(LinkFlags.NoArp), 0,
            [.. events.OfType<AddressEvent>().Select(static item => item.Address)],
            [.. events.OfType<RouteChangeEvent>().Select(static item => item.Route)],
            [.. events.OfType<NeighbourEvent>().Select(static item => item.Neighbour)]);
        return new HostCard(address, driver, forced == $"{None}" ? null : forced, number, path, state);
    }

    /// <summary>
    /// Has the card's driver take it again, and brings its interface back: into the pod's namespace, as it was, or where that has gone into
    /// the host's, as the kernel would have: with its name, if that is free, its hardware address and size. Does nothing for a card that
    /// has gone; and may be called again.
    /// </summary>
    /// <param name="bus">The host's.</param>
    /// <param name="openHost">Opens the namespace in which drivers make interfaces.</param>
    /// <param name="time">Measures the limit.</param>
    /// <param name="cancellationToken">Calls it off.</param>
    /// <exception cref="NetworkException">It does not come back.</exception>
    public async Task ReturnAsync(
        PciBus bus, Func<NetworkNamespace> openHost, TimeProvider time, CancellationToken cancellationToken)
    {
        using NetworkNamespace host = openHost();
        using NetworkNamespace? pod = TryOpenPod();
        using NetworkWatch watch = NetworkWatch.Open(host);
        try
        {
            bus.GiveBack(Device, Driver, Forced);
            if (pod is not null && Find(bus, pod) is { } there)
            {
                State.Apply(pod.Netlink, there.Index); // it had not gone, or came back before
            }
            else if (await AppearedAsync(bus, host, watch, time, cancellationToken) is { } back)
            {
                Restore(host, pod, back);
            }
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or NetlinkException)
        {
            throw new NetworkException(
                $"Cannot bring the interface '{State.Name}' of the PCI device '{Device}' back from the guest", error);
        }
    }

    /// <summary>For a journal: one line, without what only a living service knows.</summary>
    public override string ToString()
    {
        IEnumerable<RouteEvent> records =
        [
            .. State.Addresses.Select(static item => new AddressEvent(false, item)),
            .. State.Routes.Select(static item => new RouteChangeEvent(false, item)),
            .. State.Neighbours.Select(static item => new NeighbourEvent(false, item)),
        ];
        byte[] bytes = RouteEventCodec.Encode(records);
        uint flags = (uint)((State.IsUp ? LinkFlags.Up : LinkFlags.None) | (State.NoArp ? LinkFlags.NoArp : LinkFlags.None));
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{Inode} {Device} {Driver} {Forced ?? $"{None}"} {State.Name} {State.Address} {State.Mtu} {flags} ")
            + $"{(bytes.Length == 0 ? $"{None}" : Convert.ToBase64String(bytes))} {Path}";
    }

    private static IReadOnlyList<RouteEvent>? ReadRecords(string text)
    {
        try
        {
            return text == $"{None}" ? [] : RouteEventCodec.Decode(Convert.FromBase64String(text));
        }
        catch (Exception error) when (error is FormatException or NetlinkProtocolException)
        {
            return null;
        }
    }

    private Link? Find(PciBus bus, NetworkNamespace space) =>
        space.Netlink.Links.List().FirstOrDefault(link => HostCards.DeviceOf(bus, link) == Device);

    // Null when the device has gone.
    private async Task<Link?> AppearedAsync(
        PciBus bus, NetworkNamespace host, NetworkWatch watch, TimeProvider time, CancellationToken cancellationToken)
    {
        // Ends early on: the caller, or the limit.
        using var limit = new CancellationTokenSource(s_limit, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        while (bus.DriverOf(Device) is not null)
        {
            if (Find(bus, host) is { } link)
            {
                return link;
            }

            try
            {
                await watch.WaitAsync(both.Token);
            }
            catch (OperationCanceledException) when (limit.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
            {
                throw new NetworkException(
                    $"Cannot bring the interface '{State.Name}' back from the guest: the driver '{Driver}' of the PCI device '{Device}' "
                        + $"has made none in the host's network within {s_limit.TotalSeconds:0} s. "
                        + "Look for its messages in the kernel's log");
            }
        }

        return null;
    }

    private void Restore(NetworkNamespace host, NetworkNamespace? pod, Link link)
    {
        if (pod is not null)
        {
            if (link.Flags.HasFlag(LinkFlags.Up))
            {
                host.Netlink.Links.SetDown(link.Index); // somebody of the host has found it first; its name can be changed then
            }

            host.Netlink.Links.Change(link.Index, new LinkSettings { NetworkNamespace = pod.Handle, Name = State.Name });
            State.Apply(pod.Netlink, pod.Netlink.Links.Get(State.Name).Index);
            return;
        }

        bool isFree = host.Netlink.Links.List().All(other => other.Index == link.Index || other.Name != State.Name);
        LinkState bare = State with
        {
            Name = isFree ? State.Name : link.Name,
            IsUp = false,
            NoArp = false,
            Addresses = [],
            Routes = [],
            Neighbours = [],
        };
        bare.Apply(host.Netlink, link.Index);
    }

    private NetworkNamespace? TryOpenPod()
    {
        try
        {
            var space = NetworkNamespace.Open(Path, mountNamespace: null);
            if (space.Inode == Inode)
            {
                return space;
            }

            space.Dispose();
        }
        catch (NetworkException)
        {
            // There is none any more.
        }

        return null;
    }
}
