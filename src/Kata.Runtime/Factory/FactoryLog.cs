using Kata.Oci;
using Microsoft.Extensions.Logging;

namespace Kata.Runtime.Factory;

/// <summary>Records of whoever keeps the pool.</summary>
internal static partial class FactoryLog
{
    [LoggerMessage(EventId = 3601, Level = LogLevel.Information, Message = "The machine {SandboxId} waits for a pod")]
    internal static partial void PoolMemberReady(this ILogger logger, SandboxId sandboxId);

    [LoggerMessage(
        EventId = 3602, Level = LogLevel.Information,
        Message = "The machine {SandboxId} is ended: the configuration, or a file that it is made of, is another one now")]
    internal static partial void PoolMemberOutdated(this ILogger logger, SandboxId sandboxId);

    [LoggerMessage(
        EventId = 3603, Level = LogLevel.Warning, Message = "The pool is not full: {Reason}. The next attempt is in {Seconds} s")]
    internal static partial void PoolFailed(this ILogger logger, string reason, double seconds);
}
