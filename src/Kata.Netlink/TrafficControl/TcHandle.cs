using System.Globalization;

namespace Kata.Netlink;

/// <summary>The name of a qdisc or a class: <c>1:10</c>, in hexadecimal digits. A qdisc has the minor number 0.</summary>
/// <param name="Major">Of the qdisc.</param>
/// <param name="Minor">Of the class in it.</param>
public readonly record struct TcHandle(ushort Major, ushort Minor)
{
    /// <summary>The kernel chooses, or it is not told.</summary>
    public static TcHandle Unspecified => default;

    /// <summary>The parent of the qdisc that a link sends by.</summary>
    public static TcHandle Root => new(0xFFFF, 0xFFFF);

    /// <summary>The parent of the qdiscs <c>ingress</c> and <c>clsact</c>.</summary>
    public static TcHandle Ingress => new(0xFFFF, 0xFFF1);

    /// <summary>The parent of filters for what comes in, with ingress and with clsact.</summary>
    public static TcHandle IngressFilters => new(0xFFFF, 0xFFF2);

    /// <summary>The parent of filters for what goes out, with clsact.</summary>
    public static TcHandle EgressFilters => new(0xFFFF, 0xFFF3);

    /// <summary>The kernel's number.</summary>
    public uint Value => ((uint)Major << 16) | Minor;

    /// <summary>Of the kernel's number.</summary>
    public static TcHandle Of(uint value) => new((ushort)(value >> 16), (ushort)value);

    /// <summary><c>1:10</c>.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Major:x}:{Minor:x}");
}
