using System.Runtime.InteropServices;
using Kata.Netlink.Interop;

namespace Kata.Netlink;

/// <summary>The attributes of a message or of another attribute, one after the other. Allocates nothing.</summary>
internal ref struct AttributeReader(ReadOnlySpan<byte> attributes)
{
    private const int HeaderSize = 4;

    private ReadOnlySpan<byte> _rest = attributes;

    /// <summary>The next attribute; false after the last. Fewer bytes than a header are padding, as the kernel sees them.</summary>
    /// <exception cref="NetlinkProtocolException">A length does not fit into what is there.</exception>
    public bool Read(out NetlinkAttribute attribute)
    {
        if (_rest.Length < HeaderSize)
        {
            attribute = default;
            return false;
        }

        ushort length = MemoryMarshal.Read<ushort>(_rest);
        ushort type = (ushort)(MemoryMarshal.Read<ushort>(_rest[2..]) & Rtnl.NLA_TYPE_MASK);
        if (length < HeaderSize || length > _rest.Length)
        {
            throw new NetlinkProtocolException($"attribute {type} says that it has {length} bytes, and {_rest.Length} are there");
        }

        attribute = new NetlinkAttribute(type, _rest[HeaderSize..length]);
        _rest = _rest[Math.Min(Alignment.Up(length), _rest.Length)..];
        return true;
    }

    /// <summary>The first attribute of a type; false when there is none.</summary>
    /// <exception cref="NetlinkProtocolException">A length does not fit into what is there.</exception>
    public bool Find(ushort type, out NetlinkAttribute attribute)
    {
        while (Read(out attribute))
        {
            if (attribute.Type == type)
            {
                return true;
            }
        }

        return false;
    }
}
