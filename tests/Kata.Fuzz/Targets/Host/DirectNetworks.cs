using Kata.Network;
using Kata.Sandbox;

namespace Kata.Fuzz.Targets;

/// <summary>A file of a directly attachable network, down to what the guest is told of it.</summary>
internal static class DirectNetworks
{
    public static void Read(byte[] input)
    {
        DirectNetwork network = DirectNetworkParser.Parse(input, "/dans/pod.json");
        EndpointPlan[] cards = [.. network.Cards.Select(static card => card.Plan)];
        NetworkState state = NetworkState.Of(network.Network, cards);
        Finding.Unless(
            state.Interfaces.Count == cards.Length + 1
            && state.Interfaces.Select(static item => item.Name).Distinct().Count() == state.Interfaces.Count
            && state.Routes.Count == network.Network.Routes.Count,
            "a card or a route is missing in the guest");
        _ = NetworkDifference.Between(NetworkState.Initial, NetworkState.Initial, state);
        GuestNetwork common = GuestNetwork.Of(network.Network, cards);
        Finding.Unless(common.Interfaces.Count == cards.Length, "a card is missing in a guest with a stock agent");
    }
}
