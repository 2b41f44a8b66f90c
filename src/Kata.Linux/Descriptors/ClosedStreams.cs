using Kata.Linux.Interop;

namespace Kata.Linux;

/// <summary>
/// Standard streams that the caller had closed: daemons and cron jobs start programs so. The kernel gives their numbers to whatever is
/// opened next, which then passes for the standard stream.
/// </summary>
internal static class ClosedStreams
{
    private const int FirstOther = 3;

    /// <summary>
    /// Makes <c>/dev/null</c> of them and starts this executable again, with the same arguments; returns when none was closed. Call it
    /// first of all. In place it cannot be done: by now the .NET runtime reads its random numbers from one of them.
    /// </summary>
    /// <exception cref="LinuxException">There is no <c>/dev/null</c>, or the executable is gone.</exception>
    public static void Replace()
    {
        int[] closed = [.. Enumerable.Range(0, FirstOther).Where(IsClosed)];
        if (closed.Length == 0)
        {
            return;
        }

        using SafeFileDescriptor opened = LinuxException.ThrowIfInvalid(
            LibC.open("/dev/null", LibC.O_RDWR | LibC.O_CLOEXEC, 0), "open", "open '/dev/null'");
        using SafeFileDescriptor nothing = opened.Duplicate(FirstOther); // the first may have one of the very numbers
        string self = Environment.ProcessPath ?? throw new InvalidOperationException("The executable's own path is not known");
        string?[] arguments = [.. Environment.GetCommandLineArgs(), null];
        string?[] environment = [.. EnvironmentVariables.Read(), null];
        foreach (int number in closed)
        {
            LinuxException.ThrowIfNegative(LibC.dup2(nothing, number), "dup2", "open a standard stream");
        }

        LinuxException.ThrowIfNegative(LibC.execve(self, arguments, environment), "execve", $"start '{self}' again");
    }

    // What was there before us came through execve(2), and so is not close-on-exec; all that the .NET runtime opens is.
    private static bool IsClosed(int number)
    {
        using var descriptor = new SafeFileDescriptor(number, ownsHandle: false);
        return LibC.fcntl_int(descriptor, LibC.F_GETFD, 0) is < 0 or LibC.FD_CLOEXEC;
    }
}
