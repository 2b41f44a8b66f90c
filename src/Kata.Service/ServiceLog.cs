using Kata.Oci;
using Microsoft.Extensions.Logging;

namespace Kata.Service;

/// <summary>Records of a pod's service about its callers.</summary>
internal static partial class ServiceLog
{
    [LoggerMessage(EventId = 3001, Level = LogLevel.Warning, Message = "An event {Topic} is lost: {Reason}")]
    internal static partial void EventLost(this ILogger logger, string topic, string reason);

    [LoggerMessage(
        EventId = 3002, Level = LogLevel.Error,
        Message = "Sandbox {SandboxId} has ended and is not wholly removed: {Reason}. Remove the rest with 'kata-runtime delete --force'")]
    internal static partial void EndFailed(this ILogger logger, SandboxId sandboxId, string reason);

    [LoggerMessage(
        EventId = 3003, Level = LogLevel.Error,
        Message = "The directory '{Directory}' of sandbox {SandboxId} was removed: ending it, as nobody can reach it any more")]
    internal static partial void DirectoryGone(this ILogger logger, SandboxId sandboxId, string directory);
}
