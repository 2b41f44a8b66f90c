using Kata.Netlink.Interop;

namespace Kata.Netlink;

/// <summary>What the messages of qdiscs, classes and filters have in common.</summary>
internal static class TcMessages
{
    /// <summary>Kind and options; options of kinds that the library does not know need not be attributes.</summary>
    public static TcKind ReadKind(AttributeReader attributes)
    {
        string name = "";
        AttributeReader options = default;
        while (attributes.Read(out NetlinkAttribute attribute))
        {
            switch (attribute.Type)
            {
                case Rtnl.TCA_KIND:
                    name = attribute.Text();
                    break;
                case Rtnl.TCA_OPTIONS:
                    options = attribute.Nested;
                    break;
            }
        }

        return name.Length > 0 ? new TcKind(name, options) : throw new NetlinkProtocolException("a qdisc, class or filter has no kind");
    }
}
