using Grpc.Core;
using Kata.Linux;

namespace Kata.Agent.Storage;

/// <summary>
/// Who has a file system mounted besides the agent: a container's mounts are in a namespace of its own, and keep the file system, and
/// the disk under it, whatever the agent unmounts.
/// </summary>
/// <param name="proc">Where /proc is.</param>
internal sealed class MountHolders(string proc)
{
    private const string ContainerCgroup = "0::/kata/"; // where ContainerFactory puts them

    public static MountHolders OfThisGuest { get; } = new("/proc");

    /// <exception cref="RpcException">
    /// FailedPrecondition: another mount namespace has the file system that is mounted at the path.
    /// </exception>
    public void RefuseOthers(string path)
    {
        if (FindOther(path) is { } holder)
        {
            throw AgentException.WrongState($"Cannot remove the storage at '{path}': {holder} has it mounted. Remove the container first");
        }
    }

    /// <summary>What to tell of a mount that the kernel calls busy.</summary>
    public static RpcException InUse(string path) => AgentException.WrongState(
        $"Cannot remove the storage at '{path}': it is in use. "
        + "End what has files open or works there, and remove the storages that are mounted below it");

    /// <summary>
    /// Somebody else who has the file system that is mounted at a path, for people; null when nobody has, or nothing is mounted there.
    /// </summary>
    internal string? FindOther(string path)
    {
        string? own = Link("self");
        if (Mounts("self").LastOrDefault(mount => mount.MountPoint == path)?.FileSystem is not { } fileSystem)
        {
            return null;
        }

        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (string process in Directory.EnumerateDirectories(proc).Select(static entry => Path.GetFileName(entry)))
        {
            bool isProcess = process.AsSpan().IndexOfAnyExceptInRange('0', '9') < 0;
            if (isProcess && Link(process) is { } space && space != own && seen.Add(space)
                && Mounts(process).Any(mount => mount.FileSystem == fileSystem))
            {
                return Describe(process);
            }
        }

        return null;
    }

    // A process that ends meanwhile has nothing, as everywhere here.
    private string? Link(string process)
    {
        try
        {
            return new FileInfo($"{proc}/{process}/ns/mnt").LinkTarget;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private IReadOnlyList<MountInfo> Mounts(string process) =>
        [.. Lines($"{process}/mountinfo").Select(MountInfo.Parse).OfType<MountInfo>()];

    private string Describe(string process)
    {
        string? group = Lines($"{process}/cgroup").FirstOrDefault(
            static line => line.StartsWith(ContainerCgroup, StringComparison.Ordinal));
        return group is null ? $"the process {process}" : $"the container '{group[ContainerCgroup.Length..].Split('/')[0]}'";
    }

    private string[] Lines(string file)
    {
        try
        {
            return File.ReadAllLines($"{proc}/{file}");
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }
}
