using Kata.Oci;
using Kata.Sandbox;

namespace Kata.Runtime.Hosting;

/// <summary>A running pod, found by its network namespace.</summary>
/// <param name="Directories">Where it is.</param>
/// <param name="Id">Its id there.</param>
internal sealed record NetworkPod(SandboxDirectories Directories, SandboxId Id)
{
    /// <summary>Looks through the pods of a state root and of containerd's namespaces below it. What cannot be read is nobody's.</summary>
    /// <returns>The pod; null for none.</returns>
    public static NetworkPod? Find(string root, NamespaceState network)
    {
        var own = new SandboxDirectories(root);
        if (FindIn(own, network) is { } found)
        {
            return found;
        }

        try
        {
            return Directory.Exists(root)
                ? Directory.EnumerateDirectories(root, "@*").Where(path => path != own.Index)
                    .Select(path => FindIn(new SandboxDirectories(path), network)).FirstOrDefault(static pod => pod is not null)
                : null;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static NetworkPod? FindIn(SandboxDirectories directories, NamespaceState network)
    {
        try
        {
            foreach (SandboxId pod in directories.Sandboxes())
            {
                if (IsOf(directories.StateFile(pod), network))
                {
                    return new NetworkPod(directories, pod);
                }
            }
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // it went with its last pod
        }

        return null;
    }

    private static bool IsOf(string path, NamespaceState network)
    {
        try
        {
            // A service keeps its namespace: while it lives, nobody else has these numbers.
            return SandboxStateStore.Read(path) is { } state && state.Network == network && state.Service.IsAlive();
        }
        catch (Exception error) when (error is InvalidDataException or IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
