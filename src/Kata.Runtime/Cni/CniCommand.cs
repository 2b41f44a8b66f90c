namespace Kata.Runtime.Cni;

/// <summary>What a plugin is called for.</summary>
internal enum CniCommand
{
    Add,
    Del,
    Check,
    Status,
    Gc,
    Version,
}
