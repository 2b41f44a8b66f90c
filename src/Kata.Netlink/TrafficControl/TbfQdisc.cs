using Kata.Netlink.Interop;

namespace Kata.Netlink;

/// <summary>Token bucket filter: sends no faster than a rate.</summary>
public sealed record TbfQdisc : QdiscKind
{
    internal const string KindName = "tbf";

    /// <summary>Rate, burst and limit have to be given.</summary>
    public TbfQdisc() : base(KindName)
    {
    }

    /// <summary>How fast, in bytes a second.</summary>
    public required ulong Rate { get; init; }

    /// <summary>How much may be sent at once, in bytes; at least the largest packet.</summary>
    public required uint Burst { get; init; }

    /// <summary>How much may wait, in bytes.</summary>
    public required uint Limit { get; init; }

    internal override bool HasOptions => true;

    internal static TbfQdisc ReadOptions(AttributeReader options)
    {
        TcTbfQopt settings = default;
        ulong? rate = null;
        while (options.Read(out NetlinkAttribute attribute))
        {
            switch (attribute.Type)
            {
                case Rtnl.TCA_TBF_PARMS:
                    settings = attribute.Structure<TcTbfQopt>();
                    break;
                case Rtnl.TCA_TBF_RATE64:
                    rate = attribute.UInt64();
                    break;
            }
        }

        rate ??= settings.rate.rate;
        return new TbfQdisc { Rate = rate.Value, Limit = settings.limit, Burst = TcRates.Bytes(settings.buffer, rate.Value) };
    }

    internal override void Write(MessageWriter message)
    {
        ArgumentOutOfRangeException.ThrowIfZero(Rate, nameof(Rate));
        ArgumentOutOfRangeException.ThrowIfZero(Burst, nameof(Burst));
        message.AttributeOf(
            Rtnl.TCA_TBF_PARMS,
            new TcTbfQopt { rate = TcRates.Specify(Rate), limit = Limit, buffer = TcRates.Ticks(Burst, Rate) });
        if (Rate > uint.MaxValue)
        {
            message.UInt64(Rtnl.TCA_TBF_RATE64, Rate);
        }

        message.UInt32(Rtnl.TCA_TBF_BURST, Burst);
    }
}
