namespace Kata.Configuration;

/// <summary>What this runtime does with a key.</summary>
internal enum KeyUse
{
    /// <summary>It has the effect its description says.</summary>
    Applied,

    /// <summary>It is accepted because existing files have it, kept, and reported as without effect.</summary>
    Kept,

    /// <summary>It asks for a protection that is not there yet: any value but the default is an error, never a silent "yes".</summary>
    DefaultOnly,
}
