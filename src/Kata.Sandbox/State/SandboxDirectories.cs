using Kata.Linux;
using Kata.Oci;

namespace Kata.Sandbox;

/// <summary>
/// Where everything of a pod lies below the state root (<c>/run/kata</c>, <c>--root</c>). Pure: nothing is created here.
/// <code>
/// ROOT/@containers/CID    which sandbox the container belongs to (one line); '@' cannot occur in an id
/// ROOT/SID/               0700, one per pod
///   state.json journal    what the pod is, what it has acquired
///   task.sock stand-in.sock
///   console.log shared/ vm/ volumes/
/// </code>
/// </summary>
internal sealed record SandboxDirectories(string Root)
{
    /// <summary>The state root when <c>--root</c> is not given.</summary>
    public const string DefaultRoot = "/run/kata";

    private const string IndexName = "@containers";
    private const int RootHashBytes = 6;

    /// <summary>
    /// The pod's control group. Of another root it carries that root's hash: two roots may hold pods of one name, and removing one
    /// must not kill the other. '@' cannot occur in an id.
    /// </summary>
    public string Cgroup(SandboxId sandbox) => Root == DefaultRoot
        ? $"/kata/{sandbox}"
        : $"/kata/{sandbox}@{Sha256.HexOf(Root, RootHashBytes)}";

    /// <summary>Whether the root is that of one of containerd's namespaces, and goes with the last pod: <c>ROOT/@NAMESPACE</c>.</summary>
    public bool IsNamespace => Path.GetFileName(Root).StartsWith('@');

    public string Index => Path.Combine(Root, IndexName);

    public string IndexEntry(ContainerId container) => Path.Combine(Index, container.ToString());

    public string Sandbox(SandboxId sandbox) => Path.Combine(Root, sandbox.ToString());

    public string StateFile(SandboxId sandbox) => Path.Combine(Sandbox(sandbox), "state.json");

    public string Journal(SandboxId sandbox) => Path.Combine(Sandbox(sandbox), "journal");

    public string TaskSocket(SandboxId sandbox) => Path.Combine(Sandbox(sandbox), "task.sock");

    /// <summary>Where a process of the pool is claimed; not there in a pod.</summary>
    public string ClaimSocket(SandboxId sandbox) => Path.Combine(Sandbox(sandbox), "claim.sock");

    public string StandInSocket(SandboxId sandbox) => Path.Combine(Sandbox(sandbox), "stand-in.sock");

    public string ConsoleLog(SandboxId sandbox) => Path.Combine(Sandbox(sandbox), "console.log");

    public string Shared(SandboxId sandbox) => Path.Combine(Sandbox(sandbox), "shared");

    /// <summary>Copies of volumes that follow the host's mounts.</summary>
    public string Volumes(SandboxId sandbox) => Path.Combine(Sandbox(sandbox), "volumes");

    /// <summary>Where <c>start</c> waits for a container that says it is ready.</summary>
    public string NotifySocket(SandboxId sandbox, ContainerId container) => Path.Combine(Sandbox(sandbox), $"{container}.notify");

    /// <summary>A name only: nothing is ever made there.</summary>
    public string Files(SandboxId sandbox) => Path.Combine(Sandbox(sandbox), "files");

    public string VirtualMachine(SandboxId sandbox) => Path.Combine(Sandbox(sandbox), "vm");

    /// <summary>Every pod that has a directory, whatever its state.</summary>
    public IEnumerable<SandboxId> Sandboxes()
    {
        if (!Directory.Exists(Root))
        {
            yield break;
        }

        foreach (string path in Directory.EnumerateDirectories(Root).Order(StringComparer.Ordinal))
        {
            if (SandboxId.TryParse(Path.GetFileName(path), out SandboxId sandbox))
            {
                yield return sandbox;
            }
        }
    }
}
