using Kata.Linux;
using Kata.Linux.Interop;
using Kata.Oci;
using Kata.Sandbox;
using Kata.Service;

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
    private Task? _ended; // the service's process has; null as long as there is none
    private Action _kill = static () => { };
    private PidFd? _claimed;

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

    /// <summary>
    /// Takes the pod's service, and with it the directory, from the pool. Null when there is none there, or it is the name of a pod that
    /// there is.
    /// </summary>
    /// <param name="directories">Where the pod is to lie.</param>
    /// <param name="sandbox">The pod.</param>
    /// <param name="pool">The pool.</param>
    /// <param name="key">What the pod's machine is made of.</param>
    /// <param name="request">What the service is told.</param>
    /// <param name="isClaimed">Whether the container's id is still this command's.</param>
    /// <exception cref="SandboxStateException">A delete came in between.</exception>
    public static async Task<PodBeginning?> ClaimAsync(
        SandboxDirectories directories, SandboxId sandbox, WarmPool pool, string key, ClaimRequest request, Func<bool> isClaimed)
    {
        Directory.CreateDirectory(directories.Root, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        using SafeFileDescriptor mounts = Children.OpenMountNamespace();
        if (Path.Exists(directories.Sandbox(sandbox)) || await pool.TryClaimAsync(key, request, mounts) is not { } claimed)
        {
            return null;
        }

        var beginning = new PodBeginning(directories, sandbox, claimed.Lock)
        {
            _claimed = claimed.Process,
            _ended = claimed.Process?.WaitAsync(CancellationToken.None) ?? Task.CompletedTask,
            _kill = () => claimed.Process?.Kill(Signals.SIGKILL),
        };
        beginning.ReleaseLock(); // the service has recorded itself
        if (isClaimed())
        {
            return beginning;
        }

        await beginning.UndoAsync();
        beginning.Dispose();
        throw SandboxStateException.DeletedMeanwhile(sandbox.Value);
    }

    /// <summary>Starts the pod's service and hands the lock over to it.</summary>
    public async Task StartServiceAsync(IReadOnlyList<string> arguments)
    {
        ChildProcess service = await Children.StartServiceAsync(arguments, _lock!);
        (_ended, _kill) = (service.Exited, () => service.Kill(Signals.SIGKILL));
        ReleaseLock();
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
        if (_ended is { } ended)
        {
            if (hasOthers?.Invoke() is not true)
            {
                await Task.WhenAny(ended, Task.Delay(s_endTimeout, TimeProvider.System));
            }

            if (!ended.IsCompleted)
            {
                if (hasOthers?.Invoke() is true) // one that came last of all
                {
                    return;
                }

                _kill();
                await ended;
            }
        }

        ReleaseLock();
        await new SandboxRecovery(_directories).RemoveAsync(_sandbox, _directory, CancellationToken.None);
    }

    /// <summary>Gives up the descriptors; the pod stays.</summary>
    public void Dispose()
    {
        ReleaseLock();
        _claimed?.Dispose();
        _directory.Dispose();
    }

    private void ReleaseLock()
    {
        _lock?.Dispose();
        _lock = null;
    }
}
