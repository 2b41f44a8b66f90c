using Kata.Linux;
using Kata.Linux.Interop;

namespace Kata.Agent.Processes;

/// <summary>wait4(2) for any child.</summary>
internal sealed class KernelChildWaiter : IChildWaiter
{
    public unsafe (int Pid, ExitStatus Status)? WaitAny()
    {
        while (true)
        {
            int status;
            // SAFETY: wait4 fills one int.
            int pid = LibC.wait4(-1, &status, 0, 0);
            if (pid > 0)
            {
                return (pid, ExitStatus.FromWaitStatus(status));
            }

            LinuxException error = LinuxException.FromLastErrno("wait4", "wait for a child");
            switch (error.Errno)
            {
                case Errno.EINTR:
                    continue;
                case Errno.ECHILD:
                    return null;
                default:
                    throw error;
            }
        }
    }
}
