using Grpc.Core;
using Kata.Network;
using Kata.Sandbox;
using Kata.Sandbox.Protocol.V1;
using static Kata.Service.ServiceStatus;

namespace Kata.Service;

/// <summary>The calls about the pod's network. Outside of the pod's gate: a guest that takes its time holds nobody else up.</summary>
internal sealed partial class PodService
{
    public override Task<AddInterfaceResponse> AddInterface(
        AddInterfaceRequest request, ServerCallContext context) => RunAsync(async () =>
    {
        InterfaceRequest wanted = NetworkMessages.Parse(request.Spec ?? new InterfaceSpec(), [], []);
        NetworkCommands network = Running("add the interface", wanted.Subject, "interfaces").Network;
        return new AddInterfaceResponse
        {
            Interface = NetworkMessages.Of(await network.AddInterfaceAsync(wanted, host.Stopping)), // who hangs up finds it done
        };
    });

    public override Task<UpdateInterfaceResponse> UpdateInterface(
        UpdateInterfaceRequest request, ServerCallContext context) => RunAsync(async () =>
    {
        InterfaceRequest wanted = NetworkMessages.Parse(
            request.Spec ?? new InterfaceSpec(), request.AddAddresses, request.RemoveAddresses);
        NetworkCommands network = Running("change the interface", wanted.Subject, "interfaces").Network;
        return new UpdateInterfaceResponse
        {
            Interface = NetworkMessages.Of(await network.UpdateInterfaceAsync(wanted, host.Stopping)),
        };
    });

    public override Task<RemoveInterfaceResponse> RemoveInterface(
        RemoveInterfaceRequest request, ServerCallContext context) => RunAsync(async () =>
    {
        InterfaceRequest wanted = NetworkMessages.Parse(
            new InterfaceSpec { Name = request.Name, HardwareAddress = request.HardwareAddress }, [], []);
        NetworkCommands network = Running("remove the interface", wanted.Subject, "interfaces").Network;
        Agent.Protocol.Interface? before = (await network.ListInterfacesAsync(context.CancellationToken)).FirstOrDefault(
            item => item.Name == request.Name || (request.Name.Length == 0 && item.HwAddr == wanted.Address?.ToString()));
        await network.RemoveInterfaceAsync(wanted, host.Stopping);
        return new RemoveInterfaceResponse
        {
            Interface = before is null ? new NetworkInterface { Name = request.Name } : NetworkMessages.Of(before),
        };
    });

    public override Task<ListInterfacesResponse> ListInterfaces(
        ListInterfacesRequest request, ServerCallContext context) => RunAsync(async () =>
    {
        NetworkCommands network = Running("list the interfaces of", host.Sandbox.Value, "interfaces").Network;
        return new ListInterfacesResponse
        {
            Interfaces = { (await network.ListInterfacesAsync(context.CancellationToken)).Select(NetworkMessages.Of) },
        };
    });

    public override Task<FollowNetworkResponse> FollowNetwork(
        FollowNetworkRequest request, ServerCallContext context) => RunAsync(async () =>
    {
        NetworkCommands network = Running("follow the network of", host.Sandbox.Value, "interfaces").Network;
        IReadOnlyList<string> refusals = await network.FollowAsync(host.Stopping);
        return new FollowNetworkResponse
        {
            Interfaces = { (await network.ListInterfacesAsync(context.CancellationToken)).Select(NetworkMessages.Of) },
            Refusals = { refusals },
        };
    });

    public override Task<UpdateRoutesResponse> UpdateRoutes(
        UpdateRoutesRequest request, ServerCallContext context) => RunAsync(async () =>
    {
        IReadOnlyList<RouteRequest>? all = request.Routes is { } set ? NetworkMessages.Parse(set.Routes, "/routes") : null;
        IReadOnlyList<RouteRequest> add = NetworkMessages.Parse(request.Add, "/add");
        IReadOnlyList<RouteRequest> remove = NetworkMessages.Parse(request.Remove, "/remove", complete: false);
        NetworkCommands network = Running("change the routes of", host.Sandbox.Value, "routes").Network;
        await network.UpdateRoutesAsync(all, add, remove, host.Stopping);
        return new UpdateRoutesResponse
        {
            Routes = { (await network.ListRoutesAsync(context.CancellationToken)).Select(NetworkMessages.Of) },
        };
    });

    public override Task<ListRoutesResponse> ListRoutes(ListRoutesRequest request, ServerCallContext context) => RunAsync(async () =>
    {
        NetworkCommands network = Running("list the routes of", host.Sandbox.Value, "routes").Network;
        return new ListRoutesResponse
        {
            Routes = { (await network.ListRoutesAsync(context.CancellationToken)).Select(NetworkMessages.Of) },
        };
    });

    private PodSandbox Running(string action, string name, string what) =>
        life.Pod ?? throw SandboxStateException.Refused($"{action} '{name}'", $"its pod does not run. Only one that runs has {what}");
}
