using System.Net;
using System.Text.Json;
using Kata.Linux;
using Kata.Sandbox.Protocol.V1;

namespace Kata.Runtime.Commands;

/// <summary>A route as <c>kata-runtime kata-network</c> of Kata 1.x reads and prints it, with what later agents know.</summary>
internal sealed class RouteDocument
{
    private const string AnyIPv4 = "0.0.0.0/0";
    private const string AnyIPv6 = "::/0";

    /// <summary>A prefix; empty or <c>default</c> for the default route.</summary>
    public string? Dest { get; set; }

    public string? Gateway { get; set; }

    public string? Device { get; set; }

    public string? Source { get; set; }

    public uint? Scope { get; set; }

    /// <summary>Says of which version a default route without a gateway is, as <see cref="AddressDocument.Family"/> has it.</summary>
    public JsonElement? Family { get; set; }

    public uint? Flags { get; set; }

    public uint? Mtu { get; set; }

    public static RouteDocument Of(NetworkRoute route) => new()
    {
        Dest = route.Destination is AnyIPv4 or AnyIPv6 ? "" : route.Destination,
        Gateway = route.Gateway,
        Device = route.Device,
        Source = route.Source,
        Scope = route.Scope,
        Family = AddressDocument.Of(route.Destination).Family,
        Flags = route.Flags,
        Mtu = route.Mtu,
    };

    /// <summary>A destination as people write it.</summary>
    /// <exception cref="ArgumentException">It is none.</exception>
    public static string Destination(string text, string gateway, bool isIPv6) => text is "" or "default"
        ? isIPv6 || gateway.Contains(':', StringComparison.Ordinal) ? AnyIPv6 : AnyIPv4
        : text.Contains('/', StringComparison.Ordinal) ? text
        : IPAddress.TryParse(text, out IPAddress? host)
            ? $"{text}/{(host.GetAddressBytes().Length * 8)}"
            : throw new ArgumentException(
                $"Cannot use the destination '{PrintableText.Escape(text)}': it is no prefix. Write it like 10.1.0.0/16, or 'default'");

    /// <summary>What it asks for.</summary>
    /// <exception cref="ArgumentException">A value is none that can be asked for.</exception>
    public NetworkRoute ToMessage() => new()
    {
        Destination = Destination(Dest ?? "", Gateway ?? "", Family?.ToString() is "1" or "10" or "v6" or "V6"),
        Gateway = Gateway ?? "",
        Device = Device ?? "",
        Source = Source ?? "",
        Scope = Scope ?? 0,
        Flags = Flags ?? 0,
        Mtu = Mtu ?? 0,
    };
}
