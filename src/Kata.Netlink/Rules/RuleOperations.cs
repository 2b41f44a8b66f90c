using Kata.Netlink.Interop;

namespace Kata.Netlink;

/// <summary>The routing rules of a network namespace.</summary>
public sealed class RuleOperations : RuleChanges
{
    private readonly RequestChannel _channel;

    internal RuleOperations(IRequestSink sink, RequestChannel channel) : base(sink) => _channel = channel;

    /// <summary>The rules, in the order in which they are asked.</summary>
    /// <param name="family">Of one family only, or <see cref="IPFamily.Any"/>.</param>
    /// <exception cref="NetlinkException">The kernel refused.</exception>
    public IReadOnlyList<RoutingRule> List(IPFamily family = IPFamily.Any)
    {
        var message = new MessageWriter(Rtnl.RTM_GETRULE, Rtnl.NLM_F_DUMP);
        message.Structure(new FibRuleHdr { family = (byte)family });
        return _channel.List(new NetlinkRequest(message, "list the rules", ""), RoutingRule.Read);
    }
}
