using System.Text.Json;
using Kata.Linux;

namespace Kata.Runtime.Commands;

/// <summary>An address of an <see cref="InterfaceDocument"/>.</summary>
internal sealed class AddressDocument
{
    private static readonly JsonElement s_version4 = JsonDocument.Parse("0").RootElement.Clone();
    private static readonly JsonElement s_version6 = JsonDocument.Parse("1").RootElement.Clone();

    /// <summary>The agent's 0 or 1, the kernel's 2 or 10, or <c>v4</c> or <c>v6</c>. The address says it, too: this is not asked.</summary>
    public JsonElement? Family { get; set; }

    public string? Address { get; set; }

    /// <summary>The length of the prefix.</summary>
    public string? Mask { get; set; }

    public static AddressDocument Of(string prefix)
    {
        int slash = prefix.LastIndexOf('/');
        string address = slash < 0 ? prefix : prefix[..slash];
        return new AddressDocument
        {
            Family = address.Contains(':', StringComparison.Ordinal) ? s_version6 : s_version4,
            Address = address,
            Mask = slash < 0 ? "" : prefix[(slash + 1)..],
        };
    }

    /// <exception cref="ArgumentException">A part is missing.</exception>
    public string ToPrefix() => Address is { Length: > 0 } && Mask is { Length: > 0 }
        ? $"{Address}/{Mask}"
        : throw new ArgumentException(
            $"Cannot use the address '{PrintableText.Escape(Address ?? "")}': its 'Address' or 'Mask' is missing. "
                + "Write it like {\"Address\": \"10.0.0.2\", \"Mask\": \"24\"}");
}
