using Kata.Linux;

namespace Kata.Sandbox;

/// <summary>Names a machine. It is not its pod's name: a machine may be older than the pod that has it.</summary>
internal readonly record struct MachineId(string Value)
{
    private const int Bytes = 8;

    /// <summary>One that no other machine has.</summary>
    public static MachineId New()
    {
        Span<byte> number = stackalloc byte[Bytes];
        KernelRandom.Fill(number);
        return new(Convert.ToHexStringLower(number));
    }

    public override string ToString() => Value;
}
