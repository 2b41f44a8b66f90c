using Kata.Oci;
using Kata.Sandbox.Protocol.V1;

namespace Kata.Runtime.Hosting;

/// <summary>The calls about a pod's network, of <c>kata.sandbox.v1</c>.</summary>
/// <param name="client">The connection; borrowed.</param>
/// <param name="pod">The pod's id, for errors.</param>
internal sealed class NetworkClient(PodClient client, ContainerId pod)
{
    /// <summary>A guest has two minutes to find a card; what it refuses is taken back within another one.</summary>
    private static readonly TimeSpan s_changeTimeout = TimeSpan.FromMinutes(3);

    /// <param name="spec">Which link, and what it is to be.</param>
    public async Task<NetworkInterface> AddInterfaceAsync(InterfaceSpec spec) => (await client.AskAsync(
        "add an interface to", pod, s_changeTimeout,
        (calls, options) => calls.AddInterfaceAsync(new AddInterfaceRequest { Spec = spec }, options))).Interface;

    /// <param name="request">Which one, and what is to change.</param>
    public async Task<NetworkInterface> UpdateInterfaceAsync(UpdateInterfaceRequest request) => (await client.AskAsync(
        "change an interface of", pod, s_changeTimeout, (calls, options) => calls.UpdateInterfaceAsync(request, options))).Interface;

    /// <param name="request">Which one.</param>
    /// <returns>What it was.</returns>
    public async Task<NetworkInterface> RemoveInterfaceAsync(RemoveInterfaceRequest request) => (await client.AskAsync(
        "remove an interface from", pod, s_changeTimeout, (calls, options) => calls.RemoveInterfaceAsync(request, options))).Interface;

    public async Task<IReadOnlyList<NetworkInterface>> ListInterfacesAsync() => (await client.AskAsync(
        "list the interfaces of", pod, null,
        static (calls, options) => calls.ListInterfacesAsync(new ListInterfacesRequest(), options))).Interfaces;

    /// <summary>Has the guest have what the pod's network namespace has now.</summary>
    public Task<FollowNetworkResponse> FollowAsync() => client.AskAsync(
        "follow the network of", pod, s_changeTimeout,
        static (calls, options) => calls.FollowNetworkAsync(new FollowNetworkRequest(), options));

    /// <param name="request">What is to change.</param>
    /// <returns>What the guest has then.</returns>
    public async Task<IReadOnlyList<NetworkRoute>> UpdateRoutesAsync(UpdateRoutesRequest request) => (await client.AskAsync(
        "change the routes of", pod, s_changeTimeout, (calls, options) => calls.UpdateRoutesAsync(request, options))).Routes;

    public async Task<IReadOnlyList<NetworkRoute>> ListRoutesAsync() => (await client.AskAsync(
        "list the routes of", pod, null, static (calls, options) => calls.ListRoutesAsync(new ListRoutesRequest(), options))).Routes;
}
