using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Kata.Agent.Protocol;

namespace Kata.Agent.Services;

internal sealed partial class AgentServiceHandler
{
    public override Task<Interface> UpdateInterface(UpdateInterfaceRequest request, ServerCallContext context) =>
        _call.RunAsync(context, () => _network.UpdateInterfaceAsync(request.Interface ?? new Interface(), context.CancellationToken));

    public override Task<Routes> UpdateRoutes(UpdateRoutesRequest request, ServerCallContext context) => _call.RunAsync(context, async () =>
        new Routes { Routes_ = { await _network.UpdateRoutesAsync(request.Routes?.Routes_ ?? [], context.CancellationToken) } });

    public override Task<Interfaces> ListInterfaces(ListInterfacesRequest request, ServerCallContext context) =>
        _call.Run(context, () => new Interfaces { Interfaces_ = { _network.ListInterfaces() } });

    public override Task<Routes> ListRoutes(ListRoutesRequest request, ServerCallContext context) =>
        _call.Run(context, () => new Routes { Routes_ = { _network.ListRoutes() } });

    public override Task<Empty> AddARPNeighbors(AddARPNeighborsRequest request, ServerCallContext context) =>
        _call.Run(context, () => _network.AddNeighbours(request.Neighbors?.ARPNeighbors_ ?? []));
}
