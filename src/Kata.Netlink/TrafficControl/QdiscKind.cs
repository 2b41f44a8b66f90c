namespace Kata.Netlink;

/// <summary>How a qdisc orders packets. Records of it are both the settings of a new one and what is read of an existing one.</summary>
public abstract record QdiscKind
{
    private protected QdiscKind(string name) => Name = name;

    /// <summary>The kernel's word: <c>htb</c>.</summary>
    public string Name { get; }

    /// <summary>Whether there are settings to write.</summary>
    internal virtual bool HasOptions => false;

    /// <summary>Writes what goes into TCA_OPTIONS.</summary>
    internal virtual void Write(MessageWriter message)
    {
    }

    internal static QdiscKind Read(string name, AttributeReader options) => name switch
    {
        HtbQdisc.KindName => HtbQdisc.ReadOptions(options),
        TbfQdisc.KindName => TbfQdisc.ReadOptions(options),
        _ => new PlainQdisc(name),
    };
}
