using Microsoft.Extensions.Logging;

namespace Kata.Agent;

/// <summary>Records of the agent, ids 4000 to 4099. Few at Information: the console may be a serial line in software emulation.</summary>
internal static partial class AgentLog
{
    [LoggerMessage(EventId = 4000, Level = LogLevel.Information, Message = "agent ready: {Phases}")]
    internal static partial void Ready(this ILogger logger, string phases);

    [LoggerMessage(EventId = 4001, Level = LogLevel.Warning, Message = "kernel module '{Path}' not loaded: {Cause}")]
    internal static partial void ModuleNotLoaded(this ILogger logger, string path, string cause);

    [LoggerMessage(EventId = 4002, Level = LogLevel.Information, Message = "channel to the host closed, powering off")]
    internal static partial void ChannelClosed(this ILogger logger);

    [LoggerMessage(EventId = 4003, Level = LogLevel.Debug, Message = "container '{Container}' created, pid {Pid}")]
    internal static partial void ContainerCreated(this ILogger logger, string container, int pid);

    [LoggerMessage(EventId = 4004, Level = LogLevel.Debug, Message = "process '{Exec}' of container '{Container}' ended: {Status}")]
    internal static partial void ProcessEnded(this ILogger logger, string container, string exec, string status);

    [LoggerMessage(EventId = 4005, Level = LogLevel.Warning, Message = "container '{Container}' left something behind: {Cause}")]
    internal static partial void CleanupIncomplete(this ILogger logger, string container, string cause);

    [LoggerMessage(EventId = 4006, Level = LogLevel.Debug, Message = "call {Method} took {ElapsedMs:0.0} ms")]
    internal static partial void CallEnded(this ILogger logger, string method, double elapsedMs);

    [LoggerMessage(EventId = 4007, Level = LogLevel.Warning, Message = "call {Method} failed: {Cause}")]
    internal static partial void CallFailed(this ILogger logger, string method, string cause);

    [LoggerMessage(EventId = 4008, Level = LogLevel.Error, Message = "reaper failed: {Cause}")]
    internal static partial void ReaperFailed(this ILogger logger, string cause);

    [LoggerMessage(EventId = 4009, Level = LogLevel.Debug, Message = "out of memory in container '{Container}'")]
    internal static partial void OutOfMemory(this ILogger logger, string container);

    [LoggerMessage(EventId = 4010, Level = LogLevel.Warning, Message = "'{Setting}' not raised: {Cause}")]
    internal static partial void LimitNotRaised(this ILogger logger, string setting, string cause);

    [LoggerMessage(EventId = 4011, Level = LogLevel.Error, Message = "devices that come from now on are not seen: {Cause}")]
    internal static partial void DevicesUnseen(this ILogger logger, string cause);

    [LoggerMessage(EventId = 4012, Level = LogLevel.Warning, Message = "storage not taken away: {Storage}")]
    internal static partial void StorageLeft(this ILogger logger, string storage);
}
