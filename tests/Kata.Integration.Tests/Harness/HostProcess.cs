using Kata.Linux;
using Kata.Linux.Interop;

namespace Kata.Integration.Tests.Harness;

/// <summary>Processes of the host that are not children of the tests.</summary>
internal static class HostProcess
{
    /// <summary>Descriptors that a process has open.</summary>
    public static int OpenDescriptors(int pid) => Directory.GetFileSystemEntries($"/proc/{pid}/fd").Length;

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

    public static void Signal(int pid, int signal)
    {
        using SafeFileDescriptor descriptor = LinuxException.ThrowIfInvalid(LibC.pidfd_open(pid), "pidfd_open", $"find the process {pid}");
        LinuxException.ThrowIfNegative(LibC.pidfd_send_signal(descriptor, signal), "pidfd_send_signal", $"signal the process {pid}");
    }
}
