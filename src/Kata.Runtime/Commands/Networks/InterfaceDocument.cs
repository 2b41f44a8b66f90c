using System.Text.Json;
using System.Text.Json.Serialization;
using Kata.Linux;
using Kata.Sandbox.Protocol.V1;

namespace Kata.Runtime.Commands;

/// <summary>
/// An interface as <c>kata-runtime kata-network</c> of Kata 1.x reads and prints it. Read without regard to case, and by the names of the
/// agent's protocol too; what is not known is passed over.
/// </summary>
internal sealed class InterfaceDocument
{
    private const uint NoArp = 0x80; // IFF_NOARP, linux/if.h
    private const uint Refused = 0x304; // IFF_DEBUG, IFF_PROMISC, IFF_ALLMULTI: settings that no card of a guest has from here

    public string? Device { get; set; }

    public string? Name { get; set; }

    [JsonPropertyName("IPAddresses")]
    public List<AddressDocument>? Addresses { get; set; }

    public uint? Mtu { get; set; }

    public uint? RawFlags { get; set; }

    public string? HwAddr { get; set; }

    /// <summary>Where a card is in the guest the machine decides. Accepted, never said.</summary>
    public string PciPath { get; set; } = "";

    public string? LinkType { get; set; }

    /// <summary>The agent's name of <see cref="RawFlags"/>.</summary>
    [JsonPropertyName("raw_flags")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public uint? AgentFlags { get; set; }

    private string Subject => PrintableText.Escape(Name ?? Device ?? "");

    public static InterfaceDocument Of(NetworkInterface item) => new()
    {
        Device = item.Name,
        Name = item.Name,
        Addresses = [.. item.Addresses.Select(AddressDocument.Of)],
        Mtu = item.Mtu,
        RawFlags = item.Flags,
        HwAddr = item.HardwareAddress,
        LinkType = item.Type,
    };

    /// <summary>What it asks for.</summary>
    /// <exception cref="ArgumentException">A value is none that can be asked for.</exception>
    public InterfaceSpec ToSpec()
    {
        uint? flags = RawFlags ?? AgentFlags;
        if (flags is { } set && (set & Refused) != 0)
        {
            throw new ArgumentException(
                $"Cannot set the flags 0x{set & Refused:x} of '{Subject}': the guest's card does not take them. "
                    + $"Give 0x{NoArp:x} (NOARP) or leave 'RawFlags' out");
        }

        var spec = new InterfaceSpec { Device = Device ?? "", Name = Name ?? "", Mtu = Mtu ?? 0, HardwareAddress = HwAddr ?? "" };
        if (Addresses is { } all)
        {
            if (all.Contains(null!))
            {
                throw new ArgumentException($"Cannot use an address of '{Subject}': it is null. Leave it out");
            }

            spec.Addresses = new AddressSet { Addresses = { all.Select(static item => item.ToPrefix()) } };
        }

        if (flags is { } given)
        {
            spec.NoArp = (given & NoArp) != 0;
        }

        return spec;
    }

    public string Write() => JsonSerializer.Serialize(this, NetworkJsonContext.Default.InterfaceDocument);
}
