using Microsoft.Extensions.Logging;

namespace Kata.Service;

/// <summary>Records of a pod's service about its callers.</summary>
internal static partial class ServiceLog
{
    [LoggerMessage(EventId = 3001, Level = LogLevel.Warning, Message = "An event {Topic} is lost: {Reason}")]
    internal static partial void EventLost(this ILogger logger, string topic, string reason);
}
