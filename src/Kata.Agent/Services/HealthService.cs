using Grpc.Core;
using Kata.Agent.Protocol;

namespace Kata.Agent.Services;

internal sealed class HealthService : Health.HealthBase
{
    public override Task<HealthCheckResponse> Check(CheckRequest request, ServerCallContext context) =>
        Task.FromResult(new HealthCheckResponse { Status = HealthCheckResponse.Types.ServingStatus.Serving });

    public override Task<VersionCheckResponse> Version(CheckRequest request, ServerCallContext context) =>
        Task.FromResult(new VersionCheckResponse { GrpcVersion = "0.0.1", AgentVersion = AgentVersion.Number });
}
