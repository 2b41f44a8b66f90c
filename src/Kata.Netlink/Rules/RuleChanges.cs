using System.Globalization;
using Kata.Netlink.Interop;

namespace Kata.Netlink;

/// <summary>Changes of rules: at once by <see cref="NetlinkSocket.Rules"/>, later by <see cref="NetlinkBatch.Rules"/>.</summary>
public class RuleChanges
{
    private readonly IRequestSink _sink;

    internal RuleChanges(IRequestSink sink) => _sink = sink;

    /// <summary>Makes a rule.</summary>
    /// <exception cref="NetlinkException">The kernel refused: <see cref="NetlinkErrno.EEXIST"/> when there is one like it.</exception>
    public void Add(RoutingRule rule) =>
        Submit(rule, Rtnl.RTM_NEWRULE, Rtnl.NLM_F_ACK | Rtnl.NLM_F_CREATE | Rtnl.NLM_F_EXCL, "add the rule");

    /// <summary>Removes the first rule that has what is given.</summary>
    /// <exception cref="NetlinkException">The kernel refused: <see cref="NetlinkErrno.ENOENT"/> when there is no such rule.</exception>
    public void Delete(RoutingRule rule) => Submit(rule, Rtnl.RTM_DELRULE, Rtnl.NLM_F_ACK, "delete the rule");

    private void Submit(RoutingRule rule, ushort type, ushort flags, string operation)
    {
        ArgumentNullException.ThrowIfNull(rule);
        var message = new MessageWriter(type, flags);
        rule.Write(message);
        string priority = rule.Priority is { } number ? string.Create(CultureInfo.InvariantCulture, $"{number}: ") : "";
        string source = rule.Source?.ToString() ?? "all";
        string table = string.Create(CultureInfo.InvariantCulture, $"table {rule.Table}");
        string result = rule.Action == RuleAction.ToTable ? table : rule.Action.ToString();
        string destination = rule.Destination?.ToString() ?? "all";
        _sink.Submit(new NetlinkRequest(message, operation, $"{priority}from {source} to {destination} {result}"));
    }
}
