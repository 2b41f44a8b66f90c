namespace Kata.Hypervisor;

/// <summary>How guest instructions run.</summary>
internal enum Accelerator
{
    /// <summary>The processor's virtualization extensions, through <c>/dev/kvm</c>.</summary>
    Kvm,

    /// <summary>Software emulation by QEMU. Isolation is then only as good as the emulator.</summary>
    Tcg,
}
