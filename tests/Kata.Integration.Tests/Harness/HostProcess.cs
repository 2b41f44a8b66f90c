using System.Globalization;
using Kata.Linux;
using Kata.Linux.Interop;

namespace Kata.Integration.Tests.Harness;

/// <summary>Processes of the host that are not children of the tests.</summary>
internal static class HostProcess
{
    /// <summary>Descriptors that a process has open.</summary>
    public static int OpenDescriptors(int pid) => Directory.GetFileSystemEntries($"/proc/{pid}/fd").Length;

    /// <summary>The limit under which a process can open so many more: limits are about numbers, and there may be gaps.</summary>
    public static int DescriptorLimitFor(int pid, int more)
    {
        HashSet<string> open = [.. Directory.GetFileSystemEntries($"/proc/{pid}/fd").Select(static path => Path.GetFileName(path))];
        return Enumerable.Range(0, int.MaxValue).Where(number => !open.Contains($"{number}")).ElementAt(more);
    }

    /// <summary>Waits until a process is gone; false when the limit came first.</summary>
    public static async Task<bool> EndedAsync(int pid, CancellationToken limit)
    {
        SafeFileDescriptor descriptor = LibC.pidfd_open(pid);
        if (descriptor.IsInvalid)
        {
            descriptor.Dispose();
            return true;
        }

        using var watched = new PolledDescriptor(descriptor);
        try
        {
            await watched.WaitReadableAsync(limit);
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    /// <summary>The processor time that a process has used, in user mode and in the kernel.</summary>
    public static TimeSpan ProcessorTime(int pid)
    {
        // proc(5): after the name in parentheses come the fields from the third on; the 14th and 15th are ticks of 10 ms.
        string[] fields = File.ReadAllText($"/proc/{pid}/stat").Split(") ")[^1].Split(' ');
        return TimeSpan.FromMilliseconds(
            10 * (long.Parse(fields[11], CultureInfo.InvariantCulture) + long.Parse(fields[12], CultureInfo.InvariantCulture)));
    }

    public static void Signal(int pid, int signal)
    {
        using SafeFileDescriptor descriptor = LinuxException.ThrowIfInvalid(LibC.pidfd_open(pid), "pidfd_open", $"find the process {pid}");
        LinuxException.ThrowIfNegative(LibC.pidfd_send_signal(descriptor, signal), "pidfd_send_signal", $"signal the process {pid}");
    }
}
