namespace Kata.Netlink;

/// <summary>The kind of a qdisc, class or filter, and its settings as they were sent.</summary>
internal readonly ref struct TcKind(string name, AttributeReader options)
{
    private readonly AttributeReader _options = options;

    public void Deconstruct(out string kind, out AttributeReader settings)
    {
        kind = name;
        settings = _options;
    }
}
