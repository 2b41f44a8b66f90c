using System.Globalization;
using Kata.Agent.Boot;
using Kata.Linux;
using Kata.Linux.Interop;

namespace Kata.Agent.Cgroups;

/// <summary>
/// One directory of the unified hierarchy (Documentation/admin-guide/cgroup-v2.rst). Its files are the kernel's, but a container may nest
/// more below it.
/// </summary>
/// <param name="path">As crun is told it: absolute below the hierarchy's root.</param>
/// <param name="directory">Where it is; null below the hierarchy.</param>
internal sealed class Cgroup(string path, string? directory = null)
{
    /// <summary>As crun is told it: absolute below the hierarchy's root.</summary>
    public string Path { get; } = path;

    public string Directory { get; } = directory ?? EarlyMounts.CgroupRoot + path;

    /// <summary>A file's text, or empty when the controller is not there.</summary>
    public string Read(string file)
    {
        try
        {
            return File.ReadAllText($"{Directory}/{file}");
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }

    public void Write(string file, string value) => File.WriteAllText($"{Directory}/{file}", value);

    /// <summary>Whether a file is one of what a controller offers: those of the group itself (cgroup.*) move and kill processes.</summary>
    public bool HasLimit(string file) =>
        file.Length > 0 && file.All(static c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '.' or '_')
        && file.Contains('.', StringComparison.Ordinal) && !file.StartsWith('.') && !file.StartsWith("cgroup.", StringComparison.Ordinal)
        && File.Exists($"{Directory}/{file}");

    /// <summary>Sets one of the controllers' limits.</summary>
    /// <exception cref="Grpc.Core.RpcException">There is no such limit, or the kernel refuses the value.</exception>
    public void WriteLimit(string file, string value)
    {
        if (!HasLimit(file))
        {
            throw AgentException.Invalid(
                $"Cannot set the limit '{file}': the guest's kernel has none of that name. See 'ls /sys/fs/cgroup' in the container");
        }

        try
        {
            Write(file, value);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw AgentException.Invalid(
                $"Cannot set the limit '{file}' to '{value}': the guest's kernel refused: {ErrorText.CauseOf(error)}");
        }
    }

    /// <summary>Kills every process in it and below, with none escaping by forking.</summary>
    public void Kill()
    {
        if (System.IO.Directory.Exists(Directory))
        {
            Write("cgroup.kill", "1");
        }
    }

    /// <summary>Every process in it and below, in the guest's pid namespace.</summary>
    public IReadOnlyList<int> Processes()
    {
        var result = new List<int>();
        foreach (string file in Files(Directory, "cgroup.procs"))
        {
            foreach (string line in ReadLines(file))
            {
                if (int.TryParse(line, NumberStyles.None, CultureInfo.InvariantCulture, out int pid) && pid > 0)
                {
                    result.Add(pid);
                }
            }
        }

        return result;
    }

    /// <summary>Sends a signal to every process; those that end meanwhile do not matter.</summary>
    public void Signal(int signal)
    {
        foreach (int pid in Processes())
        {
            _ = LibC.kill(pid, signal);
        }
    }

    /// <summary>Has every process in it and below stand still, or go on. Returns when they do.</summary>
    /// <exception cref="OperationCanceledException">
    /// They do not all stand still: they go on, as nobody would know of a container half frozen.
    /// </exception>
    public async Task FreezeAsync(bool frozen, CancellationToken cancellationToken)
    {
        string value = frozen ? "1" : "0";
        Write("cgroup.freeze", value);
        try
        {
            await WaitEventAsync("frozen", value, cancellationToken);
        }
        catch when (frozen)
        {
            Write("cgroup.freeze", "0");
            throw;
        }
    }

    /// <summary>Waits until a line of cgroup.events has the value, woken by the kernel.</summary>
    public async Task WaitEventAsync(string name, string value, CancellationToken cancellationToken)
    {
        string file = $"{Directory}/cgroup.events";
        if (!File.Exists(file))
        {
            return; // gone: nothing lives there
        }

        SafeFileDescriptor inotify = LinuxException.ThrowIfInvalid(
            LibC.inotify_init1(LibC.IN_CLOEXEC | LibC.IN_NONBLOCK), "inotify_init1", "watch a cgroup");
        await using var stream = new DescriptorStream(inotify);
        if (LibC.inotify_add_watch(inotify, file, LibC.IN_MODIFY) < 0)
        {
            return;
        }

        byte[] buffer = new byte[4096];
        while (File.Exists(file) && !ReadLines(file).Contains($"{name} {value}"))
        {
            _ = await stream.ReadAsync(buffer, cancellationToken);
        }
    }

    /// <summary>Removes it and what is nested in it. Call it when no process is left.</summary>
    /// <exception cref="IOException">Something lives there still.</exception>
    public void Remove()
    {
        if (System.IO.Directory.Exists(Directory))
        {
            RemoveTree(Directory);
        }
    }

    private static void RemoveTree(string directory)
    {
        foreach (string child in System.IO.Directory.EnumerateDirectories(directory))
        {
            RemoveTree(child);
        }

        System.IO.Directory.Delete(directory); // rmdir: the files in it are not files
    }

    private static IEnumerable<string> Files(string directory, string name)
    {
        if (!System.IO.Directory.Exists(directory))
        {
            return [];
        }

        return System.IO.Directory.EnumerateDirectories(directory, "*", SearchOption.AllDirectories)
            .Prepend(directory)
            .Select(item => $"{item}/{name}");
    }

    private static string[] ReadLines(string file)
    {
        try
        {
            return File.ReadAllLines(file);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return []; // a threaded or vanished child
        }
    }
}
