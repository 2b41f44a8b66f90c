using Kata.Linux.Interop;

namespace Kata.Linux;

/// <summary>
/// Starts children with posix_spawn(3): libc forks and executes, so no managed code runs in between. The child inherits the
/// <em>calling thread's</em> namespaces, credentials, capabilities and root directory, which is how a jail is built
/// (see <see cref="NamespaceThread"/>).
/// </summary>
internal static class ProcessSpawner
{
    // posix_spawn_file_actions_t is 80 and posix_spawnattr_t 336 bytes in glibc on 64-bit (spawn.h); sigset_t is 128.
    private const int OpaqueSize = 512;
    private const int SignalSetSize = 128;

    /// <summary>Children see descriptors from here on up only during the spawn itself.</summary>
    private const int StagingMinimum = 64;

    /// <summary>Starts the child and returns its process id. The caller must wait for it (<see cref="ChildProcess"/>, or the agent's reaper).</summary>
    /// <exception cref="LinuxException">The executable does not exist (ENOENT), is not executable (EACCES), or the kernel is out of something.</exception>
    public static unsafe int Spawn(SpawnOptions options)
    {
        byte* actions = stackalloc byte[OpaqueSize];
        byte* attributes = stackalloc byte[OpaqueSize];
        byte* signals = stackalloc byte[SignalSetSize];
        var staged = new List<SafeFileDescriptor>();
        _ = LibC.posix_spawn_file_actions_init(actions);
        _ = LibC.posix_spawnattr_init(attributes);
        try
        {
            Dictionary<int, SafeFileDescriptor> descriptors = new(options.Descriptors);
            for (int standard = 0; standard <= 2; standard++)
            {
                if (!descriptors.ContainsKey(standard))
                {
                    SafeFileDescriptor nothing = LinuxException.ThrowIfInvalid(
                        LibC.open("/dev/null", LibC.O_RDWR | LibC.O_CLOEXEC, 0), "open", "open '/dev/null'");
                    staged.Add(nothing);
                    descriptors[standard] = nothing;
                }
            }

            // Sources move out of the way first: dup2(5, 3) then dup2(3, 4) would otherwise give both the same file.
            int minimum = Math.Max(StagingMinimum, descriptors.Keys.Max() + 1);
            foreach ((int number, SafeFileDescriptor source) in descriptors)
            {
                SafeFileDescriptor copy = source.Duplicate(minimum);
                staged.Add(copy);
                ThrowIfError(LibC.posix_spawn_file_actions_adddup2(actions, copy.Number, number), options);
            }

            if (options.WorkingDirectory is { } directory)
            {
                ThrowIfError(LibC.posix_spawn_file_actions_addchdir_np(actions, directory), options);
            }

            // The .NET runtime ignores SIGPIPE, and exec keeps that: give the child every default back, and an empty mask.
            new Span<byte>(signals, SignalSetSize).Clear();
            _ = LibC.posix_spawnattr_setsigmask(attributes, signals);
            new Span<byte>(signals, SignalSetSize).Fill(0xff);
            _ = LibC.posix_spawnattr_setsigdefault(attributes, signals);
            int flags = LibC.POSIX_SPAWN_SETSIGDEF | LibC.POSIX_SPAWN_SETSIGMASK | (options.NewSession ? LibC.POSIX_SPAWN_SETSID : 0);
            _ = LibC.posix_spawnattr_setflags(attributes, (short)flags);

            int pid;
            // SAFETY: all three buffers live on this frame and are larger than libc's types; libc copies what it keeps.
            ThrowIfError(
                LibC.posix_spawn(&pid, options.Path, actions, attributes, [.. options.Arguments, null], [.. options.Environment, null]), options);
            return pid;
        }
        finally
        {
            _ = LibC.posix_spawn_file_actions_destroy(actions);
            _ = LibC.posix_spawnattr_destroy(attributes);
            staged.ForEach(static descriptor => descriptor.Dispose());
        }
    }

    // posix_spawn returns the error, it does not set errno.
    private static void ThrowIfError(int error, SpawnOptions options)
    {
        if (error != 0)
        {
            throw new LinuxException("posix_spawn", $"start '{options.Path}'", (Errno)error);
        }
    }
}
