namespace Kata.Hypervisor;

/// <summary>Names a device within one machine: the key of its descriptors, and what the VMM calls it.</summary>
internal sealed record DeviceId
{
    /// <summary>VMMs know longer ones; nobody needs them.</summary>
    private const int MaxLength = 40;

    /// <param name="value">A letter, then letters, digits, '-' and '_': what every VMM takes as it is.</param>
    /// <exception cref="ArgumentException">It is not of that form.</exception>
    public DeviceId(string value)
    {
        bool valid = value.Length is > 0 and <= MaxLength && char.IsAsciiLetter(value[0])
            && value.All(static c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_');
        Value = valid ? value : throw new ArgumentException($"'{value}' is no name for a device", nameof(value));
    }

    public string Value { get; }

    public override string ToString() => Value;
}
