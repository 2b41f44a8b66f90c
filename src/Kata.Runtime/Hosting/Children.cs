using Kata.Linux;
using Kata.Linux.Interop;
using Kata.Oci;
using Kata.Runtime.Commands;
using Kata.Sandbox;
using Kata.Service;

namespace Kata.Runtime.Hosting;

/// <summary>Starts copies of this executable that outlive the command: a pod's service, a container's stand-in.</summary>
internal static class Children
{
    /// <summary>The descriptor on which a child says that it is ready. Its standard error goes there too until then.</summary>
    public const int ReadyDescriptor = 3;

    /// <summary>The descriptor of the caller's mount namespace, for a service.</summary>
    public const int MountNamespaceDescriptor = 4;

    /// <summary>The descriptor of a socket to whoever keeps the pool, for a service that waits.</summary>
    public const int KeeperDescriptor = 6;

    /// <summary>The descriptor of the pod's lock, for a service.</summary>
    public const int PodLockDescriptor = 5;

    /// <summary>
    /// DAC_OVERRIDE and SYS_ADMIN, to mount its root, SETGID and SETUID, to map ids there and to give all that up, and SETFCAP, without
    /// which root's id cannot be mapped (user_namespaces(7)). Bits of linux/capability.h.
    /// </summary>
    private const ulong StandInCapabilities = (1ul << 1) | (1ul << 6) | (1ul << 7) | (1ul << 21) | (1ul << 31);

    /// <summary>From a child's start until it says that it is ready: no virtual machine is involved yet.</summary>
    private static readonly TimeSpan s_readyTimeout = TimeSpan.FromSeconds(30);

    /// <summary>Starts a pod's service in a mount namespace of its own whose root is a slave of ours: its mounts die with it.</summary>
    public static async Task<ChildProcess> StartServiceAsync(IReadOnlyList<string> arguments, PodLock podLock)
    {
        using SafeFileDescriptor ours = OpenMountNamespace();
        return await StartAsync(ServiceCommand.Name, arguments, ServiceDescriptors(ours, podLock), LibC.CLONE_NEWNS);
    }

    /// <summary>The same for one of the pool, with a socket to us by which each sees the end of the other.</summary>
    public static async Task<ChildProcess> StartWarmServiceAsync(
        IReadOnlyList<string> arguments, PodLock podLock, SafeFileDescriptor keeper, TimeSpan timeout)
    {
        using SafeFileDescriptor ours = OpenMountNamespace();
        Dictionary<int, SafeFileDescriptor> descriptors = ServiceDescriptors(ours, podLock);
        descriptors[KeeperDescriptor] = keeper;
        return await StartAsync(ServiceCommand.Name, arguments, descriptors, LibC.CLONE_NEWNS, timeout: timeout);
    }

    /// <summary>Starts whoever keeps the pool, and waits until the pool is full.</summary>
    public static Task<ChildProcess> StartKeeperAsync(IReadOnlyList<string> arguments, TimeSpan timeout) =>
        StartAsync(FactoryCommand.Name, arguments, new Dictionary<int, SafeFileDescriptor>(), namespaces: 0, timeout: timeout);

    /// <summary>Has a pod's machine booted and taken back by a process like a pod's service. Returns what it said.</summary>
    /// <exception cref="IOException">It did not boot; the text says why.</exception>
    /// <exception cref="TimeoutException">Neither happened in time.</exception>
    public static async Task<string> RunBootCheckAsync(IReadOnlyList<string> arguments, PodLock podLock, TimeSpan timeout)
    {
        using SafeFileDescriptor ours = OpenMountNamespace();
        (ChildProcess child, DescriptorStream ready) = Spawn(
            ServiceCommand.Name, arguments, ServiceDescriptors(ours, podLock), LibC.CLONE_NEWNS);
        await using (ready)
        {
            using var limit = new CancellationTokenSource(timeout);
            using var said = new MemoryStream();
            try
            {
                await ready.CopyToAsync(said, limit.Token); // until the last process that holds the other end has ended
            }
            catch (OperationCanceledException)
            {
                child.Kill(Signals.SIGKILL);
                throw new TimeoutException(
                    $"Cannot boot a guest 'here': it took more than {timeout.TotalSeconds} s. The host may be overloaded; try again");
            }

            string text = System.Text.Encoding.UTF8.GetString(said.GetBuffer(), 0, (int)said.Length).Trim();
            return (await child.Exited) is { Code: 0 } ? text : throw new IOException(WithoutPrefix(text) is { Length: > 0 } why
                ? why
                : "Cannot boot a guest 'here': the process that should do it ended at once. Run with --debug --log FILE for more");
        }
    }

    /// <summary>
    /// Starts a stand-in with the given standard streams; a terminal is its standard input alone. Its namespaces are its own, but for the
    /// network's: engines enter those of the pid they are told, to copy files, to list processes or to set a name, and must find, and
    /// change, nothing of the host there. Of the host's rights it has what it needs to make its root, and gives that up then.
    /// </summary>
    /// <param name="arguments">Of the hidden command.</param>
    /// <param name="streams">Standard input, output and error, by number.</param>
    /// <param name="network">
    /// As the specification asks, as an engine wires the network of the namespace of this pid: that of a path, a new one without a path,
    /// the caller's for null.
    /// </param>
    public static async Task<ChildProcess> StartStandInAsync(
        IReadOnlyList<string> arguments, IReadOnlyDictionary<int, SafeFileDescriptor> streams, LinuxNamespace? network)
    {
        const int Own = LibC.CLONE_NEWNS | LibC.CLONE_NEWPID | LibC.CLONE_NEWUTS | LibC.CLONE_NEWIPC | LibC.CLONE_NEWCGROUP;
        if (network is not { Path: { Length: > 0 } path })
        {
            return await StartAsync(StandInCommand.Name, arguments, streams, network is null ? Own : Own | LibC.CLONE_NEWNET);
        }

        using SafeFileDescriptor joined = LinuxException.ThrowIfInvalid(
            LibC.open(path, LibC.O_RDONLY | LibC.O_CLOEXEC | LibC.O_NONBLOCK, 0), "open", $"open the network namespace '{path}'");
        return await StartAsync(StandInCommand.Name, arguments, streams, Own, joined);
    }

    public static SafeFileDescriptor OpenMountNamespace() => LinuxException.ThrowIfInvalid(
        LibC.open("/proc/self/ns/mnt", LibC.O_RDONLY | LibC.O_CLOEXEC, 0), "open", "open our mount namespace");

    private static Dictionary<int, SafeFileDescriptor> ServiceDescriptors(SafeFileDescriptor mountNamespace, PodLock podLock) =>
        new() { [MountNamespaceDescriptor] = mountNamespace, [PodLockDescriptor] = podLock.Descriptor };

    private static async Task<ChildProcess> StartAsync(
        string command, IReadOnlyList<string> arguments, IReadOnlyDictionary<int, SafeFileDescriptor> descriptors, int namespaces,
        SafeFileDescriptor? network = null, TimeSpan? timeout = null)
    {
        (ChildProcess child, DescriptorStream ready) = Spawn(command, arguments, descriptors, namespaces, network);
        await using (ready)
        {
            await WaitReadyAsync(command, ready, child, timeout ?? s_readyTimeout);
        }

        return child;
    }

    private static (ChildProcess Child, DescriptorStream Ready) Spawn(
        string command, IReadOnlyList<string> arguments, IReadOnlyDictionary<int, SafeFileDescriptor> descriptors, int namespaces,
        SafeFileDescriptor? network = null)
    {
        (SafeFileDescriptor read, SafeFileDescriptor write) = Pipe.Create();
        var ready = new DescriptorStream(read);
        try
        {
            var all = new Dictionary<int, SafeFileDescriptor>(descriptors) { [ReadyDescriptor] = write };
            all.TryAdd(2, write);
            string self = Environment.ProcessPath ?? throw new InvalidOperationException("The executable's own path is not known");
            var options = new SpawnOptions
            {
                Path = self,
                Arguments = ["kata-runtime", command, .. arguments],
                Environment = CallerEnvironment.ForChild(runsHooks: command == ServiceCommand.Name),
                Descriptors = all,
                NewSession = true,
                WorkingDirectory = "/",
            };
            using PreparedSpawn spawn = PreparedSpawn.Prepare(options);
            // A stand-in's status is what an engine waits for, and a short program ends before this command does.
            bool standsIn = command == StandInCommand.Name;
            int pid = NamespaceThread.Run(() => SpawnInNew(namespaces, network, spawn, standsIn ? StandInCapabilities : null));
            return (ChildProcess.Adopt(pid, reaps: !standsIn), ready);
        }
        catch
        {
            ready.Dispose();
            throw;
        }
        finally
        {
            write.Dispose();
        }
    }

    private static string WithoutPrefix(string said)
    {
        const string Prefix = "kata-runtime: ";
        return said.StartsWith(Prefix, StringComparison.Ordinal) ? said[Prefix.Length..] : said;
    }

    private static int SpawnInNew(int namespaces, SafeFileDescriptor? network, PreparedSpawn spawn, ulong? capabilities)
    {
        if (network is not null)
        {
            LinuxException.ThrowIfNegative(LibC.setns(network, LibC.CLONE_NEWNET), "setns", "enter the container's network namespace");
        }

        LinuxException.ThrowIfNegative(LibC.unshare(namespaces & ~LibC.CLONE_NEWPID), "unshare", "make new namespaces");
        LinuxException.ThrowIfNegative(
            LibC.mount(null, "/", null, MountFlags.MS_REC | MountFlags.MS_SLAVE, null), "mount", "make the mounts private");
        if (capabilities is { } keep)
        {
            Credentials.LimitBoundingSetOnThread(keep);
            LinuxException.ThrowIfNegative(
                LibC.prctl(LibC.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "prctl(NO_NEW_PRIVS)", "give up new privileges");
        }

        // Last: a thread that has set one for its children cannot start threads any more.
        LinuxException.ThrowIfNegative(LibC.unshare(namespaces & LibC.CLONE_NEWPID), "unshare", "make a process namespace");
        return spawn.Launch();
    }

    private static async Task WaitReadyAsync(string command, DescriptorStream ready, ChildProcess child, TimeSpan timeout)
    {
        using var limit = new CancellationTokenSource(timeout);
        byte[] buffer = new byte[4096];
        int length = 0;
        try
        {
            while (length < buffer.Length)
            {
                int count = await ready.ReadAsync(buffer.AsMemory(length), limit.Token);
                length += count;
                if (buffer.AsSpan(0, length).EndsWith("ready\n"u8))
                {
                    return;
                }

                if (count == 0)
                {
                    break;
                }
            }
        }
        catch (OperationCanceledException)
        {
            child.Kill(Signals.SIGKILL);
            throw new TimeoutException($"Cannot start the process '{command}': it was not ready within {timeout.TotalSeconds} s. "
                + "The host may be overloaded; try again");
        }

        ExitStatus status = await child.Exited;
        string said = System.Text.Encoding.UTF8.GetString(buffer, 0, length).Trim();
        throw new IOException(said.Length > 0
            ? WithoutPrefix(said)
            : $"Cannot start the process '{command}': it ended at once with {status}. Run with --debug --log FILE for more");
    }
}
