using System.Diagnostics.CodeAnalysis;
using System.Net;
using Kata.Netlink.Interop;

namespace Kata.Netlink;

public sealed partial record RoutingRule
{
    private const uint NothingSuppressed = uint.MaxValue;

    [SetsRequiredMembers]
    private RoutingRule(FibRuleHdr header, AttributeReader attributes)
    {
        IPAddress? destination = null;
        IPAddress? source = null;
        Family = (IPFamily)header.family;
        Priority = 0; // which the kernel leaves out
        TypeOfService = header.tos;
        Table = header.table;
        Action = (RuleAction)header.action;
        IsInverted = (header.flags & Rtnl.FIB_RULE_INVERT) != 0;
        while (attributes.Read(out NetlinkAttribute attribute))
        {
            switch (attribute.Type)
            {
                case Rtnl.FRA_DST:
                    destination = attribute.Address();
                    break;
                case Rtnl.FRA_SRC:
                    source = attribute.Address();
                    break;
                case Rtnl.FRA_IIFNAME:
                    InputLink = attribute.Text();
                    break;
                case Rtnl.FRA_OIFNAME:
                    OutputLink = attribute.Text();
                    break;
                case Rtnl.FRA_GOTO:
                    Target = attribute.UInt32();
                    break;
                case Rtnl.FRA_PRIORITY:
                    Priority = attribute.UInt32();
                    break;
                case Rtnl.FRA_FWMARK:
                    Mark = attribute.UInt32();
                    break;
                case Rtnl.FRA_FWMASK:
                    MarkMask = attribute.UInt32();
                    break;
                case Rtnl.FRA_TABLE:
                    Table = attribute.UInt32();
                    break;
                case Rtnl.FRA_SUPPRESS_PREFIXLEN:
                    SuppressedPrefixLength = attribute.UInt32() is var length and not NothingSuppressed ? length : null;
                    break;
                case Rtnl.FRA_L3MDEV:
                    UsesVrfTable = attribute.Flag();
                    break;
                case Rtnl.FRA_UID_RANGE:
                    FibRuleUidRange users = attribute.Structure<FibRuleUidRange>();
                    Users = new UserRange(users.start, users.end);
                    break;
                case Rtnl.FRA_PROTOCOL:
                    Protocol = (RouteProtocol)attribute.Byte();
                    break;
                case Rtnl.FRA_IP_PROTO:
                    IPProtocol = attribute.Byte();
                    break;
                case Rtnl.FRA_SPORT_RANGE:
                    SourcePorts = Ports(attribute);
                    break;
                case Rtnl.FRA_DPORT_RANGE:
                    DestinationPorts = Ports(attribute);
                    break;
            }
        }

        Source = source is null ? null : Prefixes.Read(source, header.family, header.src_len);
        Destination = destination is null ? null : Prefixes.Read(destination, header.family, header.dst_len);
    }

    /// <summary>The rule of a message; null when it is of none, or of another family than IP.</summary>
    /// <exception cref="NetlinkProtocolException">The message makes no sense.</exception>
    internal static RoutingRule? Read(NetlinkMessage message)
    {
        FibRuleHdr header = message.Header<FibRuleHdr>();
        return message.Type is Rtnl.RTM_NEWRULE or Rtnl.RTM_DELRULE && IPAddressFamily.IsKnown(header.family)
            ? new RoutingRule(header, message.Attributes<FibRuleHdr>()) : null;
    }

    internal void Write(MessageWriter message)
    {
        if (!IPAddressFamily.IsKnown((byte)Family))
        {
            throw new ArgumentException($"Cannot use the family '{Family}' for a rule: a rule is of one. Give IPv4 or IPv6");
        }

        message.Structure(new FibRuleHdr
        {
            family = (byte)Family,
            dst_len = (byte)(Destination?.Length ?? 0),
            src_len = (byte)(Source?.Length ?? 0),
            tos = TypeOfService,
            table = Table <= byte.MaxValue ? (byte)Table : (byte)0,
            action = (byte)Action,
            flags = IsInverted ? Rtnl.FIB_RULE_INVERT : 0,
        });
        WritePrefix(message, Rtnl.FRA_SRC, Source);
        WritePrefix(message, Rtnl.FRA_DST, Destination);
        WriteText(message, Rtnl.FRA_IIFNAME, InputLink);
        WriteText(message, Rtnl.FRA_OIFNAME, OutputLink);
        message.UInt32(Rtnl.FRA_PRIORITY, Priority);
        message.UInt32(Rtnl.FRA_FWMARK, Mark);
        message.UInt32(Rtnl.FRA_FWMASK, MarkMask);
        if (Table != 0)
        {
            message.UInt32(Rtnl.FRA_TABLE, Table);
        }

        message.UInt32(Rtnl.FRA_GOTO, Target);
        message.UInt32(Rtnl.FRA_SUPPRESS_PREFIXLEN, SuppressedPrefixLength);
        WriteByte(message, Rtnl.FRA_L3MDEV, UsesVrfTable ? (byte)1 : null);
        WriteByte(message, Rtnl.FRA_PROTOCOL, (byte?)Protocol);
        WriteByte(message, Rtnl.FRA_IP_PROTO, IPProtocol);
        WritePorts(message, Rtnl.FRA_SPORT_RANGE, SourcePorts);
        WritePorts(message, Rtnl.FRA_DPORT_RANGE, DestinationPorts);
        if (Users is { } users)
        {
            message.AttributeOf(Rtnl.FRA_UID_RANGE, new FibRuleUidRange { start = users.First, end = users.Last });
        }
    }

    private static PortRange Ports(NetlinkAttribute attribute)
    {
        FibRulePortRange ports = attribute.Structure<FibRulePortRange>();
        return new PortRange(ports.start, ports.end);
    }

    private void WritePrefix(MessageWriter message, ushort type, IPPrefix? prefix)
    {
        if (prefix is { } given)
        {
            message.Address(type, given.Family == Family ? given.Address
                : throw new ArgumentException($"Cannot use the prefix '{given}' in a rule for {Family}: it is of the other family"));
        }
    }

    private static void WriteText(MessageWriter message, ushort type, string? text)
    {
        if (text is not null)
        {
            message.Text(type, text);
        }
    }

    private static void WriteByte(MessageWriter message, ushort type, byte? value)
    {
        if (value is { } number)
        {
            message.Byte(type, number);
        }
    }

    private static void WritePorts(MessageWriter message, ushort type, PortRange? ports)
    {
        if (ports is { } range)
        {
            message.AttributeOf(type, new FibRulePortRange { start = range.First, end = range.Last });
        }
    }
}
