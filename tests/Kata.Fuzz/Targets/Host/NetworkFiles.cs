using System.Text.Json;
using Kata.Network;
using Kata.Oci;
using Kata.Runtime.Commands;
using Kata.Sandbox.Protocol.V1;
using Kata.Service;

namespace Kata.Fuzz.Targets;

/// <summary>
/// What <c>kata-runtime network</c> is given, an interface after an 'i' and else routes, down to what is asked of the kernel. What is
/// printed of it asks for the same again.
/// </summary>
internal static class NetworkFiles
{
    private const string Path = "/tmp/file";

    public static void Read(byte[] input)
    {
        try
        {
            if (input is [(byte)'i', .. byte[] interfaceText])
            {
                ReadInterface(interfaceText);
            }
            else
            {
                ReadRoutes(input);
            }
        }
        catch (InvalidSpecException refusal)
        {
            throw new ArgumentException(refusal.Message); // the service's refusal, beside the command's
        }
    }

    private static void ReadInterface(byte[] text)
    {
        InterfaceSpec spec = NetworkFile.ParseInterface(text, Path).ToSpec();
        InterfaceRequest request = NetworkMessages.Parse(spec, [], []);
        var given = new NetworkInterface
        {
            Name = spec.Name,
            Mtu = spec.Mtu,
            HardwareAddress = spec.HardwareAddress,
            Addresses = { spec.Addresses?.Addresses ?? [] },
        };
        byte[] printed = JsonSerializer.SerializeToUtf8Bytes(InterfaceDocument.Of(given), NetworkJsonContext.Default.InterfaceDocument);
        InterfaceSpec again = NetworkFile.ParseInterface(printed, Path).ToSpec();
        Finding.Unless(
            again.Name == spec.Name && again.Mtu == spec.Mtu && again.HardwareAddress == spec.HardwareAddress
            && again.Addresses.Addresses.SequenceEqual(given.Addresses),
            $"'{request.Subject}' is another one when it was printed");
    }

    private static void ReadRoutes(byte[] text)
    {
        NetworkRoute[] routes = [.. NetworkFile.ParseRoutes(text, Path).Select(static route => route.ToMessage())];
        IReadOnlyList<RouteRequest> requests = NetworkMessages.Parse(routes, "/routes");
        byte[] printed = JsonSerializer.SerializeToUtf8Bytes(
            routes.Select(RouteDocument.Of).ToList(), NetworkJsonContext.Default.ListRouteDocument);
        NetworkRoute[] again = [.. NetworkFile.ParseRoutes(printed, Path).Select(static route => route.ToMessage())];
        Finding.Unless(again.SequenceEqual(routes), $"{requests.Count} routes are others when they were printed");
    }
}
