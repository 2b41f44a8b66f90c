using Kata.Netlink.Interop;

namespace Kata.Netlink;

/// <summary>What a filter does with packets.</summary>
public abstract record TrafficAction
{
    private protected TrafficAction(string kind) => Kind = kind;

    /// <summary>The kernel's word: <c>mirred</c>.</summary>
    public string Kind { get; }

    /// <summary>Writes what goes into TCA_ACT_OPTIONS.</summary>
    internal abstract void Write(MessageWriter message);

    /// <summary>The actions of a filter, in their order.</summary>
    /// <exception cref="NetlinkProtocolException">They make no sense.</exception>
    internal static List<TrafficAction> ReadAll(AttributeReader attributes)
    {
        var actions = new List<TrafficAction>();
        while (attributes.Read(out NetlinkAttribute action))
        {
            string kind = "";
            AttributeReader options = default;
            AttributeReader parts = action.Nested;
            while (parts.Read(out NetlinkAttribute part))
            {
                switch (part.Type)
                {
                    case Rtnl.TCA_ACT_KIND:
                        kind = part.Text();
                        break;
                    case Rtnl.TCA_ACT_OPTIONS:
                        options = part.Nested;
                        break;
                }
            }

            actions.Add(kind == MirredAction.KindName ? MirredAction.ReadOptions(options) : new OtherAction(kind));
        }

        return actions;
    }
}
