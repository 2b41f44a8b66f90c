using System.Text;
using Kata.Agent.Boot;
using Kata.Agent.Processes;
using Kata.Agent.Protocol;
using Kata.Agent.Storage;
using Kata.Linux;
using Kata.Linux.Interop;

namespace Kata.Agent;

/// <summary>
/// What the containers of this guest share: host name, IPC and, when asked for, the pid namespace, resolv.conf, storages.
/// </summary>
internal sealed class Sandbox(Reaper reaper, StorageDrivers drivers) : IDisposable
{
    private const string NamespaceRoot = "/run/sandbox-ns";
    private const string ResolvConf = "/run/kata-containers/sandbox/resolv.conf";

    private readonly Dictionary<string, string> _namespaces = new(StringComparer.Ordinal);
    private readonly SemaphoreSlim _turn = new(1);
    private readonly Stack<IAttachedStorage> _storages = new(); // a creation's, and then nobody's until the guest's end
    private volatile bool _created;

    /// <summary>Paths by namespace type. Empty before CreateSandbox.</summary>
    public IReadOnlyDictionary<string, string> SharedNamespaces => _namespaces;

    public bool SharesPidNamespace { get; private set; }

    /// <summary>The host's name of the pod. Empty before CreateSandbox.</summary>
    public string Id { get; private set; } = "";

    /// <exception cref="Grpc.Core.RpcException">AlreadyExists: a guest has one sandbox.</exception>
    public async Task CreateAsync(CreateSandboxRequest request, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            if (_created)
            {
                throw AgentException.Exists("Cannot create the sandbox: this guest has one already");
            }

            if (request.GuestHookPath.Length > 0)
            {
                throw AgentException.Missing("Cannot create the sandbox: guest hooks are not supported by this agent yet");
            }

            foreach (KernelModule module in request.KernelModules)
            {
                KernelModules.LoadNamed(module.Name, module.Parameters);
            }

            string hostname = request.Hostname.Length > 0 ? request.Hostname : "localhost";
            HostName.Set(hostname);
            ShareNamespaces(hostname);
            if (request.SandboxPidns)
            {
                SharePidNamespace();
            }

            WriteResolvConf(request.Dns);
            await AttachAsync(request.Storages, cancellationToken);
            Id = request.SandboxId;
            _created = true;
        }
        finally
        {
            _turn.Release();
        }
    }

    public void Dispose() => _turn.Dispose();

    /// <summary>Before the machine is switched off: what is on a disk is unmounted, so that the file system is clean there.</summary>
    public async Task DetachDisksAsync()
    {
        foreach (IAttachedStorage storage in _storages.Where(static storage => storage.Device.Length > 0))
        {
            _ = await storage.DetachAsync();
        }
    }

    // They stay until the guest's end; of a creation that fails the caller may try another.
    private async Task AttachAsync(IEnumerable<Protocol.Storage> storages, CancellationToken cancellationToken)
    {
        try
        {
            foreach (Protocol.Storage storage in storages)
            {
                _storages.Push(await drivers.AttachAsync(storage, cancellationToken));
            }
        }
        catch
        {
            while (_storages.TryPop(out IAttachedStorage? storage))
            {
                _ = await storage.DetachAsync();
            }

            throw;
        }
    }

    private void ShareNamespaces(string hostname)
    {
        Directory.CreateDirectory(NamespaceRoot);
        NamespaceThread.Run(() =>
        {
            LinuxException.ThrowIfNegative(LibC.unshare(LibC.CLONE_NEWUTS | LibC.CLONE_NEWIPC), "unshare", "make the pod's namespaces");
            HostName.Set(hostname);
            foreach (string type in (string[])["uts", "ipc"])
            {
                Pin($"/proc/thread-self/ns/{type}", type);
            }

            return true;
        });
    }

    // The namespace lives as long as its process 1: a copy of the agent that does nothing but reap.
    private void SharePidNamespace()
    {
        int pause = NamespaceThread.Run(() =>
        {
            LinuxException.ThrowIfNegative(LibC.unshare(LibC.CLONE_NEWPID), "unshare", "make the pod's pid namespace");
            return reaper.Spawn(new SpawnOptions { Path = "/proc/self/exe", Arguments = [PauseProcess.Argument], Environment = [] }).Pid;
        });
        Pin($"/proc/{pause}/ns/pid", "pid");
        SharesPidNamespace = true;
    }

    private void Pin(string source, string type)
    {
        string target = $"{NamespaceRoot}/{type}";
        File.WriteAllText(target, "");
        LinuxException.ThrowIfNegative(
            LibC.mount(source, target, null, MountFlags.MS_BIND, null), "mount", $"keep the pod's {type} namespace");
        _namespaces[type] = target;
    }

    private static void WriteResolvConf(Google.Protobuf.Collections.RepeatedField<string> lines)
    {
        if (lines.Count == 0)
        {
            return;
        }

        Directory.CreateDirectory(Path.GetDirectoryName(ResolvConf)!);
        var text = new StringBuilder();
        foreach (string line in lines)
        {
            text.Append(line).Append('\n');
        }

        File.WriteAllText(ResolvConf, text.ToString());
        Directory.CreateDirectory("/etc");
        File.WriteAllText("/etc/resolv.conf", text.ToString());
    }
}
