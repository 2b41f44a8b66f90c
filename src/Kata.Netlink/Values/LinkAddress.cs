using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Kata.Netlink;

/// <summary>
/// The address of a link: six bytes for Ethernet (a MAC address), twenty for InfiniBand, the tunnel's local address for tunnels. Immutable;
/// <c>default</c> has no bytes.
/// </summary>
public readonly struct LinkAddress : IEquatable<LinkAddress>
{
    /// <summary>How many bytes an address may have (MAX_ADDR_LEN).</summary>
    public const int MaxLength = 32;

    private readonly byte[]? _bytes;

    /// <summary>Copies the bytes.</summary>
    /// <exception cref="ArgumentException">They are more than <see cref="MaxLength"/>.</exception>
    public LinkAddress(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > MaxLength)
        {
            throw new ArgumentException($"Cannot make a link address of {bytes.Length} bytes: {MaxLength} are the most", nameof(bytes));
        }

        _bytes = bytes.IsEmpty ? null : bytes.ToArray();
    }

    /// <summary>How many bytes it has.</summary>
    public int Length => _bytes?.Length ?? 0;

    /// <summary>Its bytes.</summary>
    public ReadOnlySpan<byte> Bytes => _bytes;

    /// <summary>Reads pairs of hexadecimal digits between colons, or between hyphens.</summary>
    /// <exception cref="FormatException">It is no such text.</exception>
    public static LinkAddress Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return TryParse(text, out LinkAddress address) ? address
            : throw new FormatException($"Cannot read the link address '{text}': write it like 02:00:00:00:00:01");
    }

    /// <inheritdoc cref="Parse"/>
    public static bool TryParse([NotNullWhen(true)] string? text, out LinkAddress address)
    {
        address = default;
        int count = text is null ? 0 : (text.Length + 1) / 3;
        if (text is null || count is 0 or > MaxLength || text.Length != (count * 3) - 1)
        {
            return false;
        }

        byte[] bytes = new byte[count];
        for (int i = 0; i < count; i++)
        {
            int at = i * 3;
            if ((i > 0 && (text[at - 1] is not (':' or '-') || text[at - 1] != text[2]))
                || !byte.TryParse(text.AsSpan(at, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out bytes[i]))
            {
                return false;
            }
        }

        address = new LinkAddress(bytes);
        return true;
    }

    /// <inheritdoc/>
    public bool Equals(LinkAddress other) => Bytes.SequenceEqual(other.Bytes);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is LinkAddress other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = new HashCode();
        hash.AddBytes(Bytes);
        return hash.ToHashCode();
    }

    /// <summary><c>02:00:00:00:00:01</c>; empty without bytes.</summary>
    public override string ToString()
    {
        if (_bytes is null)
        {
            return "";
        }

        return string.Create((_bytes.Length * 3) - 1, _bytes, static (text, bytes) =>
        {
            const string Digits = "0123456789abcdef";
            for (int i = 0; i < bytes.Length; i++)
            {
                text[i * 3] = Digits[bytes[i] >> 4];
                text[(i * 3) + 1] = Digits[bytes[i] & 15];
                if (i > 0)
                {
                    text[(i * 3) - 1] = ':';
                }
            }
        });
    }

    /// <summary>Whether the bytes are the same.</summary>
    public static bool operator ==(LinkAddress left, LinkAddress right) => left.Equals(right);

    /// <summary>Whether the bytes differ.</summary>
    public static bool operator !=(LinkAddress left, LinkAddress right) => !left.Equals(right);
}
