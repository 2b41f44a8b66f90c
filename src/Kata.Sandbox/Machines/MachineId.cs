using System.Security.Cryptography;

namespace Kata.Sandbox;

/// <summary>Names a machine. It is not its pod's name: a machine may be older than the pod that has it.</summary>
internal readonly record struct MachineId(string Value)
{
    private const int Bytes = 8;

    /// <summary>One that no other machine has.</summary>
    public static MachineId New() => new(Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(Bytes)));

    public override string ToString() => Value;
}
