namespace Kata.Netlink;

/// <summary>What a link is. Records of it are both the settings of a new link and what is read of an existing one.</summary>
public abstract record LinkKind
{
    private protected LinkKind(string name) => Name = name;

    /// <summary>The kernel's word: <c>veth</c>.</summary>
    public string Name { get; }

    /// <summary>Writes what goes into IFLA_INFO_DATA.</summary>
    internal abstract void Write(MessageWriter message);

    /// <summary>The kind of that name, with what is known of its data.</summary>
    internal static LinkKind Read(string name, AttributeReader data) => name switch
    {
        VethKind.KindName => new VethKind(),
        BridgeKind.KindName => BridgeKind.ReadData(data),
        DummyKind.KindName => new DummyKind(),
        IfbKind.KindName => new IfbKind(),
        VlanKind.KindName => VlanKind.ReadData(data),
        MacvlanKind.KindName => MacvlanKind.ReadData(data, isTap: false),
        MacvlanKind.TapKindName => MacvlanKind.ReadData(data, isTap: true),
        IpvlanKind.KindName => IpvlanKind.ReadData(data),
        TunKind.KindName => TunKind.ReadData(data),
        BondKind.KindName => BondKind.ReadData(data),
        VrfKind.KindName => VrfKind.ReadData(data),
        _ => new OtherKind(name),
    };
}
