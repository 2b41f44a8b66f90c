namespace Kata.Linux;

/// <summary>
/// Starts children with posix_spawn(3): libc forks and executes, so no managed code runs in between. The child inherits the
/// <em>calling thread's</em> namespaces, credentials, capabilities and root directory, which is how a jail is built
/// (see <see cref="NamespaceThread"/>, <see cref="Jail"/>).
/// </summary>
internal static class ProcessSpawner
{
    /// <summary>Starts the child and returns its process id. The caller must wait for it (<see cref="ChildProcess"/>, or the agent's reaper).</summary>
    /// <exception cref="LinuxException">The executable does not exist (ENOENT), is not executable (EACCES), or the kernel is out of something.</exception>
    public static int Spawn(SpawnOptions options)
    {
        using PreparedSpawn spawn = PreparedSpawn.Prepare(options);
        return spawn.Launch();
    }
}
