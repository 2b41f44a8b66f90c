using Grpc.Core;
using Kata.Linux;

namespace Kata.Service;

/// <summary>Request metadata of the Task service by which the command line says what the messages have no field for.</summary>
internal static class TaskHeaders
{
    /// <summary>Delete: as <c>delete --force</c>.</summary>
    public const string Force = "kata-force";

    /// <summary>Exec: the name that <c>exec --user</c> was given; the specification's process has numbers only.</summary>
    public const string User = "kata-user";

    /// <summary>Create and Exec: the command line's own limits, see <see cref="ResourceLimits"/>.</summary>
    public const string Limits = "kata-limits";

    /// <summary>Create: a socket for notifications is wanted; the caller has one, and so will the start's.</summary>
    public const string Notify = "kata-notify";

    /// <summary>Pids: each process's description is wanted, as a GuestProcess in the Any.</summary>
    public const string Details = "kata-details";

    /// <summary>Stats: the agent's own figures are wanted, more than containerd's message has room for.</summary>
    public const string AgentStats = "kata-agent-stats";

    /// <summary>Exec: a paused container may be entered.</summary>
    public const string IgnorePaused = "kata-ignore-paused";

    /// <summary>
    /// The limits that a call's programs have where nothing names one: its caller's own where it
    /// tells them, else those of whoever started us.
    /// </summary>
    public static IReadOnlyList<ResourceLimit> LimitsOf(ServerCallContext context, IReadOnlyList<ResourceLimit> starters) =>
        context.RequestHeaders.Get(Limits) is { } told ? ResourceLimits.Parse(told.Value) : starters;
}
