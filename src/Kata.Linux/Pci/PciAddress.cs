using System.Diagnostics.CodeAnalysis;

namespace Kata.Linux;

/// <summary>Where a function of a PCI device is, as the kernel writes it: <c>DOMAIN:BUS:DEVICE.FUNCTION</c>, <c>0000:3b:00.1</c>.</summary>
internal sealed record PciAddress
{
    private const int MinDomainDigits = 4; // more where a controller makes a domain of its own
    private const int MaxDomainDigits = 8;

    private PciAddress(string value) => Value = value;

    public string Value { get; }

    /// <summary>Reads one; false for what the kernel writes otherwise.</summary>
    public static bool TryParse(string text, [NotNullWhen(true)] out PciAddress? address)
    {
        string[] parts = text.Split(':', '.');
        bool valid = parts is [var domain, { Length: 2 } bus, { Length: 2 } device, [>= '0' and <= '7']]
            && domain.Length is >= MinDomainDigits and <= MaxDomainDigits
            && text[^2] == '.' && parts.All(static part => part.All(char.IsAsciiHexDigitLower))
            && text.Length == domain.Length + bus.Length + device.Length + "::.0".Length;
        address = valid ? new PciAddress(text) : null;
        return valid;
    }

    public override string ToString() => Value;
}
