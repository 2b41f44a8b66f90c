namespace Kata.Linux;

/// <summary>
/// Starts children with posix_spawn(3): libc forks and executes, so no managed code runs in between. The child inherits the
/// <em>calling thread's</em> namespaces, credentials, capabilities and root directory, which is how a jail is built
/// (see <see cref="NamespaceThread"/>, <see cref="Jail"/>).
/// </summary>
internal static class ProcessSpawner
{
    /// <summary>Starts the child and returns its id. The caller must wait for it (<see cref="ChildProcess"/>, or the reaper).</summary>
    /// <exception cref="LinuxException">ENOENT: no such file. EACCES: it is not executable. Or a shortage of the kernel's.</exception>
    public static int Spawn(SpawnOptions options)
    {
        using PreparedSpawn spawn = PreparedSpawn.Prepare(options);
        return spawn.Launch();
    }
}
