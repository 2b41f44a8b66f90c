using System.Diagnostics.CodeAnalysis;

namespace Kata.Netlink;

/// <summary>Flags of a neighbour (NTF_, linux/neighbour.h).</summary>
[Flags]
[SuppressMessage("Naming", "CA1711", Justification = "the kernel's word")]
public enum NeighbourFlags : byte
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>It is used now.</summary>
    Use = 0x1,

    /// <summary>Bridge: of the bridge itself.</summary>
    Self = 0x2,

    /// <summary>Bridge: of the port's controller.</summary>
    Controller = 0x4,

    /// <summary>This host answers for it.</summary>
    Proxy = 0x8,

    /// <summary>Another has learned it.</summary>
    ExternallyLearned = 0x10,

    /// <summary>Hardware does it.</summary>
    Offloaded = 0x20,

    /// <summary>Bridge: it stays at its port.</summary>
    Sticky = 0x40,

    /// <summary>It is a router.</summary>
    Router = 0x80,
}
