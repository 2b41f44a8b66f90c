using Kata.Agent.Protocol.Extension;
using Kata.Linux;
using Kata.Linux.Interop;

namespace Kata.Agent.Containers;

/// <summary>
/// Scheduling policy and I/O priority, which crun 1.8 does not know. Both survive execve(2): set on the first process while it
/// waits for its start, they are its program's from the beginning. A further process has them a moment after its start.
/// </summary>
internal static class ProcessScheduling
{
    // Positions are the kernel's numbers: linux/sched.h, linux/ioprio.h.
    private static readonly string[] s_policies =
        ["SCHED_OTHER", "SCHED_FIFO", "SCHED_RR", "SCHED_BATCH", "SCHED_ISO", "SCHED_IDLE", "SCHED_DEADLINE"];

    private static readonly string[] s_flags =
    [
        "SCHED_FLAG_RESET_ON_FORK", "SCHED_FLAG_RECLAIM", "SCHED_FLAG_DL_OVERRUN", "SCHED_FLAG_KEEP_POLICY", "SCHED_FLAG_KEEP_PARAMS",
        "SCHED_FLAG_UTIL_CLAMP_MIN", "SCHED_FLAG_UTIL_CLAMP_MAX",
    ];

    private static readonly string[] s_ioClasses = ["IOPRIO_CLASS_NONE", "IOPRIO_CLASS_RT", "IOPRIO_CLASS_BE", "IOPRIO_CLASS_IDLE"];
    private const int IoClassShift = 13;

    /// <exception cref="Grpc.Core.RpcException">InvalidArgument: no such policy or class, or the guest's kernel refused.</exception>
    public static void Apply(int pid, ProcessExtension? extension)
    {
        if (extension?.Scheduler is { } scheduler)
        {
            Check(LibC.sched_setattr(pid, ToAttributes(scheduler)), "sched_setattr", $"set the scheduler '{scheduler.Policy}'");
        }

        if (extension?.IoPriority is { } priority)
        {
            int value = (IndexOf(s_ioClasses, priority.Class) << IoClassShift) | priority.Priority;
            Check(LibC.ioprio_set(LibC.IOPRIO_WHO_PROCESS, pid, value), "ioprio_set", $"set the I/O priority '{priority.Class}'");
        }
    }

    internal static SchedAttr ToAttributes(Scheduler scheduler) => new()
    {
        size = 48,
        sched_policy = (uint)IndexOf(s_policies, scheduler.Policy),
        sched_flags = scheduler.Flags.Aggregate(0ul, static (all, flag) => all | (1ul << IndexOf(s_flags, flag))),
        sched_nice = scheduler.Nice,
        sched_priority = (uint)scheduler.Priority,
        sched_runtime = scheduler.Runtime,
        sched_deadline = scheduler.Deadline,
        sched_period = scheduler.Period,
    };

    private static int IndexOf(string[] names, string name)
    {
        int index = Array.IndexOf(names, name);
        return index >= 0 ? index : throw AgentException.Invalid($"Cannot use '{name}': it is none of {string.Join(", ", names)}");
    }

    private static void Check(int result, string call, string action)
    {
        if (result < 0)
        {
            throw AgentException.Invalid(LinuxException.FromLastErrno(call, action).Message);
        }
    }
}
