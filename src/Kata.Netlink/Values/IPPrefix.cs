using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;

namespace Kata.Netlink;

/// <summary>
/// An address and how many of its leading bits name the network: <c>10.0.0.7/24</c>. Unlike <see cref="IPNetwork"/> it keeps the bits of
/// the host, as an interface's address has them. A scope id of an IPv6 address is not part of it.
/// </summary>
public readonly struct IPPrefix : IEquatable<IPPrefix>
{
    private readonly IPAddress? _address;
    private readonly byte _length;

    /// <exception cref="ArgumentOutOfRangeException">The address has fewer bits.</exception>
    public IPPrefix(IPAddress address, int length)
    {
        ArgumentNullException.ThrowIfNull(address);
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, address.Bits());
        _address = address.IsIPv6() && address.ScopeId != 0 ? new IPAddress(address.GetAddressBytes()) : address;
        _length = (byte)length;
    }

    /// <summary>Where the default route of IPv4 goes: <c>0.0.0.0/0</c>, also the value of <c>default</c>.</summary>
    public static IPPrefix AnyIPv4 => new(IPAddress.Any, 0);

    /// <summary>Where the default route of IPv6 goes: <c>::/0</c>.</summary>
    public static IPPrefix AnyIPv6 => new(IPAddress.IPv6Any, 0);

    /// <summary>The address, with its host bits.</summary>
    public IPAddress Address => _address ?? IPAddress.Any;

    /// <summary>In bits: 0 to 32, or to 128 for IPv6.</summary>
    public int Length => _length;

    /// <summary><see cref="IPFamily.IPv4"/> or <see cref="IPFamily.IPv6"/>.</summary>
    public IPFamily Family => Address.Family();

    /// <summary>The address alone: with the prefix's full length.</summary>
    public static IPPrefix OfHost(IPAddress address)
    {
        ArgumentNullException.ThrowIfNull(address);
        return new IPPrefix(address, address.Bits());
    }

    /// <summary>Reads <c>ADDRESS/LENGTH</c>, or an address alone, which has its full length.</summary>
    /// <exception cref="FormatException">It is neither.</exception>
    public static IPPrefix Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return TryParse(text, out IPPrefix prefix) ? prefix
            : throw new FormatException($"Cannot read the prefix '{text}': it is no ADDRESS/LENGTH. Write it like 10.0.0.1/24");
    }

    /// <inheritdoc cref="Parse"/>
    public static bool TryParse([NotNullWhen(true)] string? text, out IPPrefix prefix)
    {
        prefix = default;
        ReadOnlySpan<char> rest = text;
        int slash = rest.IndexOf('/');
        if (!IPAddress.TryParse(slash < 0 ? rest : rest[..slash], out IPAddress? address))
        {
            return false;
        }

        int length = address.Bits();
        if (slash >= 0 && !(int.TryParse(rest[(slash + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out length)
            && length <= address.Bits()))
        {
            return false;
        }

        prefix = new IPPrefix(address, length);
        return true;
    }

    /// <inheritdoc/>
    public bool Equals(IPPrefix other) => _length == other._length && Address.Equals(other.Address);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is IPPrefix other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Address, _length);

    /// <summary><c>10.0.0.7/24</c>.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Address}/{Length}");

    /// <summary>Whether address and length are the same.</summary>
    public static bool operator ==(IPPrefix left, IPPrefix right) => left.Equals(right);

    /// <summary>Whether address or length differ.</summary>
    public static bool operator !=(IPPrefix left, IPPrefix right) => !left.Equals(right);
}
