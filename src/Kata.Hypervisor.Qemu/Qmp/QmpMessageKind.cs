namespace Kata.Hypervisor.Qemu.Qmp;

/// <summary>What one line of the control channel is.</summary>
internal enum QmpMessageKind
{
    Greeting,
    Return,
    Error,
    Event,
}
