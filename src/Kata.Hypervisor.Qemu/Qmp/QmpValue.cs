using System.Diagnostics.CodeAnalysis;

namespace Kata.Hypervisor.Qemu.Qmp;

/// <summary>A member's value in a <see cref="QmpObject"/>.</summary>
[SuppressMessage("Usage", "CA2225", Justification = "Only for initializers")]
internal readonly record struct QmpValue
{
    private QmpValue(object value) => Value = value;

    /// <summary>A <see cref="string"/>, <see cref="long"/>, <see cref="bool"/> or <see cref="QmpObject"/>.</summary>
    public object? Value { get; }

    public static implicit operator QmpValue(string text) => new(text);

    public static implicit operator QmpValue(long number) => new(number);

    public static implicit operator QmpValue(bool flag) => new(flag);

    public static implicit operator QmpValue(QmpObject inner) => new(inner);
}
