using Grpc.Core;

namespace Kata.Agent;

/// <summary>Refusals the host sees, each with the status code the runtime maps on.</summary>
internal static class AgentException
{
    public static RpcException Invalid(string message) => Of(StatusCode.InvalidArgument, message);

    public static RpcException NotFound(string message) => Of(StatusCode.NotFound, message);

    public static RpcException Exists(string message) => Of(StatusCode.AlreadyExists, message);

    public static RpcException WrongState(string message) => Of(StatusCode.FailedPrecondition, message);

    public static RpcException Failed(string message) => Of(StatusCode.Internal, message);

    public static RpcException Missing(string what) => Of(StatusCode.Unimplemented, what);

    public static RpcException Of(StatusCode code, string message) => new(new Status(code, message));
}
