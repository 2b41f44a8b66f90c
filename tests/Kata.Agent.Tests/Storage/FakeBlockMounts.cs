using Kata.Agent.Storage;
using Kata.Linux;

namespace Kata.Agent.Tests;

/// <summary>A kernel that only notes what it is asked for, and refuses what it is told to.</summary>
internal sealed class FakeBlockMounts : IBlockMounts
{
    private readonly Lock _gate = new();
    private readonly List<string> _calls = []; // guarded by _gate

    /// <summary>What it answers by the first word of a call; nothing for success.</summary>
    public Dictionary<string, Errno> Refusals { get; } = [];

    public bool Claimed { get; set; }

    /// <summary>Called before a mount is made.</summary>
    public Action Mounting { get; set; } = static () => { };

    public IReadOnlyList<string> Calls
    {
        get
        {
            lock (_gate)
            {
                return [.. _calls];
            }
        }
    }

    public void RequireFileSystem(string type) => Note($"know {type}");

    public void Mount(string device, SafeFileDescriptor directory, BlockMount mount)
    {
        Mounting();
        Assert.True(FileStatus.Of(directory).IsDirectory);
        Note($"mount {device} {mount.Path} {mount.Type} {mount.Flags} {mount.Data}");
    }

    public void Unmount(string path) => Note($"unmount {path}");

    public bool TryDetach(string path)
    {
        Note($"detach {path}");
        return true;
    }

    public bool IsClaimed(string device)
    {
        Note($"claim {device}");
        return Claimed;
    }

    private void Note(string call)
    {
        string verb = call.Split(' ')[0];
        lock (_gate)
        {
            _calls.Add(call);
        }

        if (Refusals.TryGetValue(verb, out Errno errno))
        {
            throw new LinuxException(verb, call, errno);
        }
    }
}
