using System.Net;
using CsCheck;
using Kata.Netlink.Interop;

namespace Kata.Netlink.Tests;

/// <summary>What is written of a record is read as the same record.</summary>
public sealed class RoundTripTests
{
    private static readonly Gen<string> s_name = Gen.Char.AlphaNumeric.Array[1, 15].Select(static text => new string(text));
    private static readonly Gen<uint> s_number = Gen.UInt[1, uint.MaxValue - 1];
    private static readonly Gen<int> s_index = Gen.Int[1, int.MaxValue];
    private static readonly Gen<bool> s_isIPv6 = Gen.Bool;
    private static readonly Gen<LinkAddress> s_linkAddress =
        Gen.Byte.Array[1, LinkAddress.MaxLength].Select(static bytes => new LinkAddress(bytes));
    private static readonly Gen<TimeSpan> s_seconds = Gen.UInt[1, uint.MaxValue - 1].Select(static s => TimeSpan.FromSeconds(s));

    [Fact]
    public void Address_Any_IsReadAsItWasWritten() =>
        (from isIPv6 in s_isIPv6
         from local in Prefix(isIPv6, 0)
         from peer in Address(isIPv6).Null()
         from broadcast in Address(isIPv6).Null()
         from index in s_index
         from label in s_name.Null()
         from flags in Gen.UInt
         from scope in Gen.Byte
         from priority in Gen.UInt.Nullable()
         from valid in s_seconds.Nullable()
         from preferred in s_seconds.Nullable()
         select new InterfaceAddress
         {
             LinkIndex = index,
             Local = local,
             Peer = local.Address.Equals(peer) ? null : peer,
             Broadcast = broadcast,
             Label = label,
             Flags = (AddressFlags)flags,
             Scope = (RouteScope)scope,
             RoutePriority = priority,
             ValidLifetime = valid,
             PreferredLifetime = preferred,
         }).Sample(static address =>
             Assert.Equal(new AddressEvent(false, address), Read(Rtnl.RTM_NEWADDR, address.Write)));

    [Fact]
    public void Route_Any_IsReadAsItWasWritten() =>
        (from isIPv6 in s_isIPv6
         from destination in Prefix(isIPv6, 1)
         from source in Prefix(isIPv6, 1).Nullable()
         from gateway in Gen.OneOf(Address(false), Address(true)).Null()
         from preferred in Address(isIPv6).Null()
         from index in s_index.Nullable()
         from numbers in Gen.UInt.Nullable().Array[3]
         from bytes in Gen.Byte.Array[4]
         from hops in NextHop().Array[0, 4]
         from metrics in Metrics().Null()
         from preference in Gen.Byte.Nullable()
         from expires in s_seconds.Nullable()
         select new Route
         {
             Destination = destination,
             Source = source,
             Gateway = gateway,
             PreferredSource = preferred,
             LinkIndex = index,
             Metric = numbers[0],
             Table = numbers[1] ?? RouteTables.Main,
             NextHopId = numbers[2],
             Type = (RouteType)bytes[0],
             Scope = (RouteScope)bytes[1],
             Protocol = (RouteProtocol)bytes[2],
             TypeOfService = bytes[3],
             Flags = bytes[3] % 2 == 0 ? RouteFlags.Onlink : RouteFlags.None,
             NextHops = hops,
             Metrics = metrics,
             Preference = (RoutePreference?)preference,
             ExpiresIn = expires,
         }).Sample(static route => Assert.Equal(
             new RouteChangeEvent(false, route), Read(Rtnl.RTM_NEWROUTE, message => route.Write(message, isDeletion: false))));

    [Fact]
    public void Rule_Any_IsReadAsItWasWritten() =>
        (from isIPv6 in s_isIPv6
         from source in Prefix(isIPv6, 0).Nullable()
         from destination in Prefix(isIPv6, 0).Nullable()
         from names in s_name.Null().Array[2]
         from numbers in s_number.Nullable().Array[6]
         from bytes in Gen.Byte.Array[4]
         from ports in Gen.UShort.Array[4]
         from users in Gen.UInt.Array[2]
         from isInverted in Gen.Bool
         select new RoutingRule
         {
             Family = isIPv6 ? IPFamily.IPv6 : IPFamily.IPv4,
             Source = source,
             Destination = destination,
             InputLink = names[0],
             OutputLink = names[1],
             Priority = numbers[0] ?? 0,
             Mark = numbers[1],
             MarkMask = numbers[2],
             Table = numbers[3] ?? 0,
             Target = numbers[4],
             SuppressedPrefixLength = numbers[5],
             TypeOfService = bytes[0],
             IPProtocol = bytes[1],
             Protocol = (RouteProtocol)bytes[2],
             Action = (RuleAction)bytes[3],
             SourcePorts = new PortRange(ports[0], ports[1]),
             DestinationPorts = isInverted ? null : new PortRange(ports[2], ports[3]),
             Users = isInverted ? new UserRange(users[0], users[1]) : null,
             IsInverted = isInverted,
             UsesVrfTable = isInverted,
         }).Sample(static rule => Assert.Equal(new RuleEvent(false, rule), Read(Rtnl.RTM_NEWRULE, rule.Write)));

    [Fact]
    public void Neighbour_Any_IsReadAsItWasWritten() =>
        (from address in Gen.OneOf(Address(false), Address(true))
         from linkAddress in s_linkAddress
         from index in s_index
         from bytes in Gen.Byte.Array[4]
         select new Neighbour
         {
             LinkIndex = index,
             Address = address,
             LinkAddress = linkAddress,
             State = (NeighbourState)bytes[0],
             Flags = (NeighbourFlags)bytes[1],
             Type = (RouteType)bytes[2],
             Protocol = (RouteProtocol)bytes[3],
         }).Sample(static neighbour => Assert.Equal(new NeighbourEvent(false, neighbour), Read(Rtnl.RTM_NEWNEIGH, neighbour.Write)));

    [Fact]
    public void Codec_AnyEvents_AreReadAsTheyWereWritten() =>
        (from index in s_index
         from prefix in Prefix(isIPv6: true, 1)
         from gateway in Address(true).Null()
         from isDeleted in Gen.Bool.Array[4]
         select new RouteEvent[]
         {
             new AddressEvent(isDeleted[0], new InterfaceAddress { LinkIndex = index, Local = prefix }),
             new RouteChangeEvent(isDeleted[1], new Route
             {
                 Destination = prefix, LinkIndex = index, Gateway = gateway, Scope = RouteScope.Universe, Protocol = RouteProtocol.Static,
             }),
             new RuleEvent(isDeleted[2], new RoutingRule { Family = IPFamily.IPv6, Priority = (uint)index, Source = prefix, Table = 100 }),
             new NeighbourEvent(isDeleted[3], new Neighbour { LinkIndex = index, Address = prefix.Address }),
         }).Sample(static events => Assert.Equal(events, RouteEventCodec.Decode(RouteEventCodec.Encode(events))));

    [Fact]
    public void Codec_EventOfALink_IsRefused() => Assert.Contains(
        "only events of addresses",
        Assert.Throws<ArgumentException>(
            static () => RouteEventCodec.Encode([new LinkEvent(false, new Link { Index = 1, Name = "x" })])).Message);

    [Fact]
    public void Link_AnySettings_AreReadAsTheyWereWritten() =>
        (from name in s_name
         from kind in Kind()
         from address in s_linkAddress.Nullable()
         from numbers in Gen.UInt.Nullable().Array[5]
         from indices in s_index.Nullable().Array[2]
         from flags in Gen.UInt
         from alias in s_name.Null()
         from generation in Gen.Byte.Nullable()
         select new LinkSettings
         {
             Name = name,
             Kind = kind,
             Address = address,
             Mtu = numbers[0],
             TransmitQueueLength = numbers[1],
             TransmitQueues = numbers[2],
             ReceiveQueues = numbers[3],
             Group = numbers[4],
             Parent = indices[0],
             Controller = indices[1],
             SetFlags = (LinkFlags)flags,
             Alias = alias,
             AddressGeneration = (AddressGeneration?)generation,
         }).Sample(static settings => Assert.Equal(
             new LinkEvent(false, new Link
             {
                 Index = 5,
                 Name = settings.Name!,
                 Kind = settings.Kind,
                 Address = settings.Address ?? default,
                 Mtu = settings.Mtu ?? 0,
                 TransmitQueueLength = settings.TransmitQueueLength ?? 0,
                 TransmitQueues = settings.TransmitQueues ?? 0,
                 ReceiveQueues = settings.ReceiveQueues ?? 0,
                 Group = settings.Group ?? 0,
                 Parent = settings.Parent,
                 Controller = settings.Controller,
                 Flags = settings.SetFlags,
                 Alias = settings.Alias,
                 AddressGeneration = settings.AddressGeneration,
             }),
             Read(Rtnl.RTM_NEWLINK, message => LinkCodec.WriteSettings(message, 5, settings))));

    [Fact]
    public void Qdisc_Any_IsReadAsItWasWritten() =>
        (from handles in Gen.UInt.Array[2]
         from index in s_index
         from kind in Gen.OneOf<QdiscKind>(
             Gen.UInt.Select(static number => (QdiscKind)new HtbQdisc { DefaultClass = number }),
             s_name.Where(static name => name is not ("htb" or "tbf")).Select(static name => (QdiscKind)new PlainQdisc(name)),
             Gen.Select(Gen.ULong[1000, 1ul << 40], Gen.UInt[1500, 1 << 20], Gen.UInt).Select(static (rate, burst, limit) =>
                 (QdiscKind)new TbfQdisc { Rate = rate, Burst = burst, Limit = limit }))
         select new Qdisc { LinkIndex = index, Handle = TcHandle.Of(handles[0]), Parent = TcHandle.Of(handles[1]), Kind = kind })
        .Sample(static qdisc =>
        {
            var read = Assert.IsType<Qdisc>(Read(Rtnl.RTM_NEWQDISC, qdisc.Write));
            if (qdisc.Kind is TbfQdisc written && read.Kind is TbfQdisc tbf)
            {
                AssertNear(written.Burst, tbf.Burst, written.Rate);
                read = read with { Kind = tbf with { Burst = written.Burst } };
            }

            Assert.Equal(qdisc, read);
        });

    [Fact]
    public void Class_Any_IsReadAsItWasWritten() =>
        (from handles in Gen.UInt.Array[2]
         from rates in Gen.ULong[1000, 1ul << 40].Array[2]
         from bursts in Gen.UInt[1500, 1 << 20].Array[2]
         from numbers in Gen.UInt.Array[2]
         select new TrafficClass
         {
             LinkIndex = 1,
             Handle = TcHandle.Of(handles[0]),
             Parent = TcHandle.Of(handles[1]),
             Rate = rates[0],
             Ceiling = rates[1],
             Burst = bursts[0],
             CeilingBurst = bursts[1],
             Priority = numbers[0],
             Quantum = numbers[1],
         }).Sample(static written =>
         {
             var read = Assert.IsType<TrafficClass>(Read(Rtnl.RTM_NEWTCLASS, message => written.Write(message, isDeletion: false)));
             AssertNear(written.Burst!.Value, read.Burst!.Value, written.Rate);
             AssertNear(written.CeilingBurst!.Value, read.CeilingBurst!.Value, written.Ceiling!.Value);
             Assert.Equal(written with { Burst = read.Burst, CeilingBurst = read.CeilingBurst }, read);
         });

    [Fact]
    public void Filter_Any_IsReadAsItWasWritten() =>
        (from numbers in Gen.UInt.Array[3]
         from shorts in Gen.UShort.Array[2]
         from isU32 in Gen.Bool
         from actions in Gen.Select(Gen.Int[1, 4], s_index).Array[0, 4]
         from matches in Gen.Select(Gen.Int, Gen.UInt, Gen.UInt[1, uint.MaxValue]).Array[0, 4]
         select new TrafficFilter
         {
             LinkIndex = 1,
             Parent = TcHandle.Of(numbers[0]),
             Handle = numbers[1],
             Chain = numbers[2],
             Priority = shorts[0],
             Protocol = shorts[1],
             Kind = isU32 ? TrafficFilter.U32 : TrafficFilter.MatchAll,
             Matches = isU32 ? [.. matches.Select(static match => new PacketMatch(match.Item1, match.Item2, match.Item3))] : [],
             Actions = [.. actions.Select(static action =>
                 new MirredAction { Direction = (MirredDirection)action.Item1, TargetIndex = action.Item2 })],
         }).Sample(static filter =>
             Assert.Equal(filter, Read(Rtnl.RTM_NEWTFILTER, message => filter.Write(message, isDeletion: false))));

    // A burst is written as a time of 64 ns ticks.
    private static void AssertNear(long written, long read, ulong rate)
    {
        long tick = 1 + (long)(rate * 64 / 1_000_000_000);
        Assert.InRange(read, written - tick, written + tick);
    }

    private static object Read(ushort type, Action<MessageWriter> write)
    {
        var message = new MessageWriter(type, 0);
        write(message);
        return Assert.Single(NetlinkMessages.Read(message.Finish(1)));
    }

    private static Gen<IPAddress> Address(bool isIPv6) => Gen.Byte.Array[isIPv6 ? 16 : 4].Select(static bytes => new IPAddress(bytes));

    private static Gen<IPPrefix> Prefix(bool isIPv6, int shortest) => Gen.Select(
        Address(isIPv6), Gen.Int[shortest, isIPv6 ? 128 : 32], static (address, length) => new IPPrefix(address, length));

    private static Gen<RouteNextHop> NextHop() => Gen.Select(
        Gen.OneOf(Address(false), Address(true)).Null(), s_index.Nullable(), Gen.Int[1, 256], Gen.Byte,
        static (gateway, index, weight, flags) =>
            new RouteNextHop { Gateway = gateway, LinkIndex = index, Weight = weight, Flags = (RouteFlags)flags });

    private static Gen<RouteMetrics> Metrics() => Gen.Select(Gen.UInt.Nullable().Array[12], s_name.Null(), static (n, algorithm) =>
        new RouteMetrics
        {
            Locked = n[0],
            Mtu = n[1],
            AdvertisedMss = n[2],
            Window = n[3],
            RoundTripTime = n[4],
            SlowStartThreshold = n[5],
            CongestionWindow = n[6],
            InitialCongestionWindow = n[7],
            InitialReceiveWindow = n[8],
            MinRetransmissionTimeout = n[9],
            HopLimit = n[10],
            QuickAck = n[11],
            CongestionControl = algorithm,
        });

    private static Gen<LinkKind> Kind() => Gen.OneOf<LinkKind>(
        Gen.Const<LinkKind>(new VethKind()),
        Gen.Const<LinkKind>(new DummyKind()),
        Gen.Const<LinkKind>(new IfbKind()),
        Gen.Const<LinkKind>(new OtherKind("wireguard")),
        Gen.UInt.Select(static table => (LinkKind)new VrfKind { Table = table }),
        Gen.Select(Gen.UShort, Gen.UShort).Select(static (id, protocol) => (LinkKind)new VlanKind { Id = id, Protocol = protocol }),
        Gen.Select(Gen.Bool, Gen.Int, Gen.UShort.Nullable()).Select(static (isTap, mode, flags) =>
            (LinkKind)new MacvlanKind(isTap) { Mode = (MacvlanMode)mode, Flags = flags }),
        Gen.Select(Gen.UShort.Nullable(), Gen.UShort.Nullable()).Select(static (mode, flags) =>
            (LinkKind)new IpvlanKind { Mode = (IpvlanMode?)mode, Flags = flags }),
        Gen.Select(Gen.Byte.Nullable(), Gen.UInt.Nullable(), Gen.Int.Nullable()).Select(static (mode, interval, port) =>
            (LinkKind)new BondKind { Mode = mode, MonitorInterval = interval, ActivePort = port }),
        Gen.Select(Gen.Bool.Array[5], Gen.UInt.Nullable().Array[3]).Select(static (flags, numbers) => (LinkKind)new TunKind
        {
            IsTap = flags[0],
            HasPacketInformation = flags[1],
            HasVirtioHeader = flags[2],
            IsPersistent = flags[3],
            IsMultiQueue = flags[4],
            Owner = numbers[0],
            Group = numbers[1],
            Queues = numbers[2],
        }),
        Gen.Select(Gen.UInt.Nullable().Array[3], Gen.Bool.Nullable().Array[2], Gen.UShort.Nullable().Array[2]).Select(
            static (numbers, flags, shorts) => (LinkKind)new BridgeKind
            {
                SpanningTree = numbers[0],
                ForwardDelay = numbers[1],
                AgeingTime = numbers[2],
                FiltersVlans = flags[0],
                SnoopsMulticast = flags[1],
                DefaultVlan = shorts[0],
                Priority = shorts[1],
            }));
}
