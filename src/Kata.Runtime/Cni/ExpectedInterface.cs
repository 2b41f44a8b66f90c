using Kata.Netlink;
using Kata.Oci;
using Kata.Sandbox.Protocol.V1;

namespace Kata.Runtime.Cni;

/// <summary>An interface that a pod is to have, by the result of a chain.</summary>
/// <param name="Name">Its name.</param>
/// <param name="HardwareAddress">Its hardware address; empty when the result has none.</param>
/// <param name="Addresses">Some of its addresses, as <see cref="IPPrefix"/> writes them: it may have others.</param>
internal sealed record ExpectedInterface(string Name, string HardwareAddress, IReadOnlyList<string> Addresses)
{
    private const int MostAddresses = 8; // in a text; a guest may claim thousands

    /// <summary>What is otherwise in the guest, for people; null for nothing.</summary>
    /// <param name="guest">Its interfaces, as it says itself: not to be trusted.</param>
    public string? DifferenceFrom(IEnumerable<NetworkInterface> guest)
    {
        if (guest.FirstOrDefault(item => item.Name == Name) is not { } found)
        {
            return $"the guest has no interface {SpecText.Quote(Name)}";
        }

        if (HardwareAddress.Length > 0 && !HardwareAddress.Equals(found.HardwareAddress, StringComparison.OrdinalIgnoreCase))
        {
            return $"{SpecText.Quote(Name)} has the hardware address {SpecText.Quote(found.HardwareAddress)} in the guest, "
                + $"not {SpecText.Quote(HardwareAddress)}";
        }

        List<string> has = [];
        foreach (string text in found.Addresses)
        {
            if (IPPrefix.TryParse(text, out IPPrefix address))
            {
                has.Add(address.ToString());
            }
        }

        string? missing = Addresses.FirstOrDefault(address => !has.Contains(address));
        string others = has.Count == 0 ? "none" : string.Join(", ", has.Take(MostAddresses).Select(static item => $"'{item}'"));
        return missing is null ? null : $"{SpecText.Quote(Name)} does not have the address '{missing}' in the guest; it has {others}";
    }
}
