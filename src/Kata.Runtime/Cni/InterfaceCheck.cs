using Kata.Linux;
using Kata.Network;
using Kata.Oci;

namespace Kata.Runtime.Cni;

/// <summary>Which interfaces of a chain's result the guest gets, and which it cannot have. Pure.</summary>
internal static class InterfaceCheck
{
    /// <param name="expected">Those of the result.</param>
    /// <param name="network">What their network namespace has.</param>
    /// <param name="path">The namespace, for errors.</param>
    /// <exception cref="CniException">One of them is not there.</exception>
    public static void RequireThere(IEnumerable<ExpectedInterface> expected, HostNetwork network, string path)
    {
        if (expected.FirstOrDefault(item => !network.Links.Any(link => link.Name == item.Name)) is { } missing)
        {
            string[] names = [.. network.Links.Select(static link => SpecText.Quote(link.Name))];
            throw new CniException(
                CniErrorCode.InterfaceMissing,
                $"Cannot give the interface {SpecText.Quote(missing.Name)} to a guest: '{PrintableText.Escape(path)}' has none of that "
                    + $"name, it has {(names.Length == 0 ? "none" : string.Join(", ", names))}",
                "See whether another plugin of the chain has moved, renamed or removed it");
        }
    }

    /// <summary>
    /// Those that the guest gets. A port of a bridge or a bond is not among them, whose frames come by that, nor is what is off and has no
    /// address: it comes when it is on.
    /// </summary>
    /// <param name="expected">Those of the result.</param>
    /// <param name="cards">The names of the interfaces that are cards of the guest.</param>
    /// <param name="refused">The sentences about interfaces that cannot be.</param>
    /// <exception cref="CniException">One of them cannot be; the text says why.</exception>
    public static IReadOnlyList<ExpectedInterface> Carried(
        IReadOnlyList<ExpectedInterface> expected, IReadOnlySet<string> cards, IReadOnlyList<string> refused)
    {
        foreach (ExpectedInterface item in expected)
        {
            if (NetworkPlanner.RefusalOf(item.Name, refused) is { } reason)
            {
                string[] parts = reason.Split(". ", 2);
                throw new CniException(
                    CniErrorCode.InterfaceRefused,
                    $"Cannot give the interface {SpecText.Quote(item.Name)} to a guest: {parts[0]}",
                    parts.Length == 2 ? parts[1] : "Use a veth, macvlan, VLAN, bridge or a card of the host");
            }
        }

        return [.. expected.Where(item => cards.Contains(item.Name))];
    }
}
