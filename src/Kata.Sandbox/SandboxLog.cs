using Kata.Oci;
using Microsoft.Extensions.Logging;

namespace Kata.Sandbox;

/// <summary>Event ids 2000 to 2099.</summary>
internal static partial class SandboxLog
{
    [LoggerMessage(
        EventId = 2000, Level = LogLevel.Information,
        Message = "Sandbox {SandboxId} is up: VM started after {VmMs} ms, agent ready after {AgentMs} ms")]
    internal static partial void SandboxUp(this ILogger logger, SandboxId sandboxId, long vmMs, long agentMs);

    [LoggerMessage(EventId = 2001, Level = LogLevel.Warning, Message = "{Warning}")]
    internal static partial void PlanWarning(this ILogger logger, string warning);

    [LoggerMessage(EventId = 2002, Level = LogLevel.Error, Message = "Sandbox {SandboxId} failed: {Reason}")]
    internal static partial void SandboxFailed(this ILogger logger, SandboxId sandboxId, string reason);

    /// <summary>A container's end, with the reason where it was not the program's own.</summary>
    internal static void ContainerEnded(this ILogger logger, ContainerId containerId, ProcessExit exit)
    {
        if (exit.Reason is { } reason)
        {
            logger.ContainerLost(containerId, exit.Status, reason);
        }
        else
        {
            logger.ContainerExited(containerId, exit.Status);
        }
    }

    [LoggerMessage(EventId = 2003, Level = LogLevel.Information, Message = "Container {ContainerId} exited with status {Status}")]
    internal static partial void ContainerExited(this ILogger logger, ContainerId containerId, uint status);

    [LoggerMessage(EventId = 2020, Level = LogLevel.Information, Message = "Container {ContainerId} ended with status {Status}: {Reason}")]
    internal static partial void ContainerLost(this ILogger logger, ContainerId containerId, uint status, string reason);

    [LoggerMessage(EventId = 2004, Level = LogLevel.Warning, Message = "Container {ContainerId} is only partly released: {Reason}")]
    internal static partial void ReleaseFailed(this ILogger logger, ContainerId containerId, string reason);

    [LoggerMessage(EventId = 2005, Level = LogLevel.Debug, Message = "Guest console: {Line}")]
    internal static partial void ConsoleLine(this ILogger logger, string line);

    [LoggerMessage(EventId = 2006, Level = LogLevel.Warning, Message = "Cannot save the state of sandbox {SandboxId}: {Reason}")]
    internal static partial void SaveFailed(this ILogger logger, SandboxId sandboxId, string reason);

    [LoggerMessage(
        EventId = 2007, Level = LogLevel.Debug,
        Message = "Guest agent {AgentVersion} on kernel {Kernel}, protocol {Protocol}, {UptimeMs} ms after its boot")]
    internal static partial void AgentUp(this ILogger logger, string agentVersion, string kernel, uint protocol, ulong uptimeMs);

    [LoggerMessage(EventId = 2008, Level = LogLevel.Information, Message = "Sandbox {SandboxId} is gone")]
    internal static partial void SandboxGone(this ILogger logger, SandboxId sandboxId);

    [LoggerMessage(
        EventId = 2009, Level = LogLevel.Warning,
        Message = "Container {ContainerId} ran out of memory: the guest's kernel killed a process of it")]
    internal static partial void OutOfMemory(this ILogger logger, ContainerId containerId);

    [LoggerMessage(
        EventId = 2010, Level = LogLevel.Warning,
        Message = "Cannot leave the mark '{Path}' of a memory shortage of container {ContainerId}: {Reason}")]
    internal static partial void OutOfMemoryMarkFailed(this ILogger logger, ContainerId containerId, string path, string reason);

    [LoggerMessage(EventId = 2011, Level = LogLevel.Information, Message = "Container {ContainerId} has new limits")]
    internal static partial void Updated(this ILogger logger, ContainerId containerId);

    [LoggerMessage(EventId = 2012, Level = LogLevel.Warning, Message = "Container {ContainerId} goes on without a hook: {Reason}")]
    internal static partial void HookFailed(this ILogger logger, ContainerId containerId, string reason);

    [LoggerMessage(EventId = 2013, Level = LogLevel.Warning, Message = "Container {ContainerId}: {Warning}")]
    internal static partial void ContainerWarning(this ILogger logger, ContainerId containerId, string warning);

    [LoggerMessage(EventId = 2014, Level = LogLevel.Information, Message = "Container {ContainerId} is created, pid {Pid}")]
    internal static partial void ContainerCreated(this ILogger logger, ContainerId containerId, int pid);

    [LoggerMessage(EventId = 2015, Level = LogLevel.Information, Message = "Container {ContainerId} is started")]
    internal static partial void ContainerStarted(this ILogger logger, ContainerId containerId);

    [LoggerMessage(EventId = 2016, Level = LogLevel.Information, Message = "Container {ContainerId} is deleted")]
    internal static partial void ContainerDeleted(this ILogger logger, ContainerId containerId);

    [LoggerMessage(
        EventId = 2017, Level = LogLevel.Warning,
        Message = "Container {ContainerId} has ended and its bundle '{Bundle}' was removed: deleting it, as nobody else will")]
    internal static partial void AbandonedDeleted(this ILogger logger, ContainerId containerId, string bundle);

    [LoggerMessage(EventId = 2018, Level = LogLevel.Error, Message = "Commands have to wait: {Reason}")]
    internal static partial void Shortage(this ILogger logger, string reason);

    [LoggerMessage(EventId = 2019, Level = LogLevel.Error, Message = "Work in the background ended early: {Reason}")]
    internal static partial void BackgroundFailed(this ILogger logger, string reason);

    /// <summary>Waits for work that nobody else waits for. Never faults: a failure is logged.</summary>
    internal static async Task LoggedAsync(this Task work, ILogger logger)
    {
        await work.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (work.Exception?.InnerException is { } error)
        {
            logger.BackgroundFailed(error.Message);
        }
    }

    [LoggerMessage(
        EventId = 2024, Level = LogLevel.Warning,
        Message = "Sandbox {SandboxId} does not get the machine that was made in advance: {Reason}. Making one now")]
    public static partial void WarmRefused(this ILogger logger, SandboxId sandboxId, string reason);

    [LoggerMessage(EventId = 2022, Level = LogLevel.Information, Message = "Pod {SandboxId} has the storage '{Name}', which is '{Source}'")]
    public static partial void StorageAdded(this ILogger logger, SandboxId sandboxId, string name, string source);

    [LoggerMessage(EventId = 2023, Level = LogLevel.Information, Message = "Pod {SandboxId} has the storage '{Name}' no more")]
    public static partial void StorageRemoved(this ILogger logger, SandboxId sandboxId, string name);
}
