using Kata.Linux;
using Kata.Linux.Interop;
using Kata.Oci;
using Kata.Sandbox;

namespace Kata.Runtime.Hosting;

/// <summary>A new pod from its directory until its service is known: what one create makes, and takes back when it fails.</summary>
internal sealed class PodBeginning : IDisposable
{
    /// <summary>A failed first Create makes the service undo everything and end by itself; one that does not is ended.</summary>
    private static readonly TimeSpan s_endTimeout = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan s_lockTimeout = TimeSpan.FromSeconds(10);

    private readonly SandboxDirectories _directories;
    private readonly SandboxId _sandbox;
    private readonly SafeFileDescriptor _directory;
    private PodLock? _lock;
    private ChildProcess? _service;

    private PodBeginning(SandboxDirectories directories, SandboxId sandbox, PodLock podLock)
    {
        (_directories, _sandbox, _lock) = (directories, sandbox, podLock);
        _directory = LinuxException.ThrowIfInvalid(
            LibC.open(directories.Sandbox(sandbox), LibC.O_PATH | LibC.O_DIRECTORY | LibC.O_CLOEXEC, 0),
            "open",
            $"open the directory of the pod '{sandbox}'");
    }

    /// <summary>Makes the pod's directory and locks it.</summary>
    /// <param name="directories">Where.</param>
    /// <param name="sandbox">The pod.</param>
    /// <param name="isClaimed">Whether the container's id is still this command's. A delete may have come in between.</param>
    /// <exception cref="SandboxStateException">There is such a pod, or a delete came in between.</exception>
    public static async Task<PodBeginning> MakeAsync(SandboxDirectories directories, SandboxId sandbox, Func<bool> isClaimed)
    {
        Directory.CreateDirectory(directories.Root, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        string directory = directories.Sandbox(sandbox);
        if (LibC.mkdir(directory, FileModes.PrivateDirectory) < 0)
        {
            LinuxException error = LinuxException.FromLastErrno("mkdir", $"make the pod's directory '{directory}'");
            throw error.Errno == Errno.EEXIST ? SandboxStateException.AlreadyExists("create the pod", "a pod", sandbox.Value) : error;
        }

        PodLock? podLock = await PodLock.TakeAsync(directory, null, s_lockTimeout, TimeProvider.System, CancellationToken.None);
        if (podLock is not { IsGone: false } || !isClaimed())
        {
            if (podLock is { IsGone: false })
            {
                DirectoryTree.Remove(directory); // ours, and nothing is in it
            }

            podLock?.Dispose();
            throw SandboxStateException.DeletedMeanwhile(sandbox.Value);
        }

        return new PodBeginning(directories, sandbox, podLock);
    }

    /// <summary>Starts the pod's service and hands the lock over to it.</summary>
    public async Task StartServiceAsync(IReadOnlyList<string> arguments)
    {
        _service = await Children.StartServiceAsync(arguments, _lock!);
        _lock!.Dispose();
        _lock = null;
    }

    /// <summary>Has the pod's machine booted and taken back, instead of serving it. Returns what came up.</summary>
    public Task<string> CheckBootAsync(IReadOnlyList<string> arguments, TimeSpan timeout) =>
        Children.RunBootCheckAsync([.. arguments, "--check"], _lock!, timeout);

    /// <summary>Takes everything back, unless somebody else has removed it already: then what bears the name now is another's.</summary>
    /// <param name="hasOthers">
    /// Whether other containers have come into the pod: then it is theirs, and its service ends it with the last. Null where none can.
    /// </param>
    public async Task UndoAsync(Func<bool>? hasOthers = null)
    {
        if (_service is not null)
        {
            if (hasOthers?.Invoke() is not true)
            {
                await Task.WhenAny(_service.Exited, Task.Delay(s_endTimeout, TimeProvider.System));
            }

            if (!_service.Exited.IsCompleted)
            {
                if (hasOthers?.Invoke() is true) // one that came last of all
                {
                    return;
                }

                _service.Kill(Signals.SIGKILL);
                await _service.Exited;
            }
        }

        _lock?.Dispose();
        _lock = null;
        await new SandboxRecovery(_directories).RemoveAsync(_sandbox, _directory, CancellationToken.None);
    }

    /// <summary>Gives up the descriptors; the pod stays.</summary>
    public void Dispose()
    {
        _lock?.Dispose();
        _directory.Dispose();
    }
}
