using Kata.Linux.Interop;

namespace Kata.Linux;

/// <summary>Gives up rights; where a name says so, only of the calling thread, which must be a <see cref="NamespaceThread"/>.</summary>
internal static class Credentials
{
    /// <summary>Who has no rights: Debian's <c>nobody</c> and <c>nogroup</c>.</summary>
    public const uint Nobody = 65534;

    /// <summary>Makes the whole process <see cref="Nobody"/>: every thread loses every capability.</summary>
    public static unsafe void BecomeNobody()
    {
        // SAFETY: no groups, so none is read.
        LinuxException.ThrowIfNegative(LibC.setgroups(0, null), "setgroups", "drop the groups");
        LinuxException.ThrowIfNegative(LibC.setresgid(Nobody, Nobody, Nobody), "setresgid", $"become the group {Nobody}");
        LinuxException.ThrowIfNegative(LibC.setresuid(Nobody, Nobody, Nobody), "setresuid", $"become the user {Nobody}");
    }

    /// <summary>Empties the bounding and ambient sets and becomes <paramref name="userId"/>, which takes all else away.</summary>
    public static void DropAllOnThread(uint userId, uint groupId, int lastCapability)
    {
        LimitBoundingSetOnThread(0, lastCapability);
        _ = LibC.prctl(LibC.PR_CAP_AMBIENT, LibC.PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0); // EINVAL: a kernel without them
        LinuxException.ThrowIfNegative(LibC.thread_setgroups([]), "setgroups", "drop the groups");
        LinuxException.ThrowIfNegative(LibC.thread_setresgid(groupId), "setresgid", $"become the group {groupId}");
        LinuxException.ThrowIfNegative(LibC.thread_setresuid(userId), "setresuid", $"become the user {userId}");
        LinuxException.ThrowIfNegative(LibC.thread_capset(default), "capset", "drop the capabilities");
    }

    /// <summary>The thread, and what it starts, keeps its capabilities when it becomes another user than root. Takes CAP_SETPCAP.</summary>
    public static void KeepCapabilitiesOfOtherUsersOnThread() => LinuxException.ThrowIfNegative(
        LibC.prctl(LibC.PR_SET_SECUREBITS, LibC.SECBIT_NO_SETUID_FIXUP, 0, 0, 0),
        "prctl(SET_SECUREBITS)",
        "keep capabilities as another user");

    /// <summary>What the next program can have at most, even as uid 0: the capabilities of <paramref name="keep"/>, by bit.</summary>
    public static void LimitBoundingSetOnThread(ulong keep, int lastCapability = 63)
    {
        for (int capability = 0; capability <= lastCapability; capability++)
        {
            if ((keep & (1ul << capability)) != 0)
            {
                continue;
            }

            int present = LibC.prctl(LibC.PR_CAPBSET_READ, (ulong)capability, 0, 0, 0);
            if (present < 0)
            {
                return; // EINVAL: past the kernel's last capability
            }

            if (present == 1)
            {
                LinuxException.ThrowIfNegative(
                    LibC.prctl(LibC.PR_CAPBSET_DROP, (ulong)capability, 0, 0, 0),
                    "prctl(CAPBSET_DROP)",
                    $"drop the capability {capability}");
            }
        }
    }
}
