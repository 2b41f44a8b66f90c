namespace Kata.Runtime.Cni;

/// <summary>A version of the CNI specification that this plugin speaks, oldest first; <see cref="CniVersions"/> has its text.</summary>
internal enum CniVersion
{
    V031,

    /// <summary>CHECK, and results on DEL.</summary>
    V040,

    /// <summary>Addresses without their version.</summary>
    V100,

    /// <summary>STATUS and GC, and more about interfaces and routes.</summary>
    V110,
}
