using Kata.Linux;
using Kata.Linux.Interop;

namespace Kata.Agent.Storage;

/// <summary>
/// The directories that storages are mounted on. What had to be made for them goes with the last that needs it. Thread-safe.
/// </summary>
internal sealed class MountPoints
{
    private readonly Lock _gate = new(); // held while directories are made and removed: neither may see the other's half
    private readonly Dictionary<string, int> _uses = new(StringComparer.Ordinal); // guarded by _gate
    private readonly HashSet<string> _made = new(StringComparer.Ordinal); // guarded by _gate

    /// <summary>Makes the directory, and those above it, where they are missing, and keeps them until <see cref="Release"/>.</summary>
    public void Take(string path)
    {
        path = Path.TrimEndingDirectorySeparator(path);
        lock (_gate)
        {
            Make(path);
            _uses[path] = _uses.GetValueOrDefault(path) + 1;
        }
    }

    /// <summary>Likewise, where no other storage is.</summary>
    /// <exception cref="Grpc.Core.RpcException">FailedPrecondition: another one is there, or comes there.</exception>
    public void TakeAlone(string path)
    {
        lock (_gate)
        {
            if (_uses.ContainsKey(path))
            {
                throw AgentException.WrongState($"Cannot mount a block device on '{path}': another storage is there. Remove it first");
            }

            Make(path);
            _uses[path] = 1;
        }
    }

    /// <summary>Ends one use. Of what was made for it and nothing else needs, empty directories go.</summary>
    public void Release(string path)
    {
        path = Path.TrimEndingDirectorySeparator(path);
        lock (_gate)
        {
            int uses = _uses.GetValueOrDefault(path) - 1;
            if (uses > 0)
            {
                _uses[path] = uses;
                return;
            }

            _uses.Remove(path);
            RemoveMade(path);
        }
    }

    private void Make(string path)
    {
        var missing = new Stack<string>();
        for (string? at = path; at is not null && !Directory.Exists(at); at = Path.GetDirectoryName(at))
        {
            missing.Push(at);
        }

        try
        {
            foreach (string directory in missing)
            {
                if (LibC.mkdir(directory, FileModes.ReadableDirectory) < 0)
                {
                    LinuxException error = LinuxException.FromLastErrno("mkdir", $"create the directory '{directory}'");
                    if (error.Errno != Errno.EEXIST || !Directory.Exists(directory)) // somebody else was faster
                    {
                        throw error;
                    }
                }
                else
                {
                    _made.Add(directory);
                }
            }
        }
        catch
        {
            if (missing.LastOrDefault(_made.Contains) is { } deepest)
            {
                RemoveMade(deepest);
            }

            throw;
        }
    }

    private void RemoveMade(string path)
    {
        string? at = path;
        while (at is not null && _made.Contains(at) && !_uses.ContainsKey(at) && LibC.rmdir(at) == 0)
        {
            _made.Remove(at);
            at = Path.GetDirectoryName(at);
        }
    }
}
