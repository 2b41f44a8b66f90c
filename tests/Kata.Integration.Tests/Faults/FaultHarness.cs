using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Kata.Integration.Tests.Hypervisor;
using Kata.Linux;
using Kata.Linux.Interop;

namespace Kata.Integration.Tests.Faults;

/// <summary>The real command line with a state root, a configuration and bundles of its own, and a look at what it leaves behind.</summary>
internal sealed class FaultHarness : IAsyncDisposable
{
    private readonly List<FaultCommand> _commands = [];

    public FaultHarness(string kata = "", string hypervisor = "")
    {
        Directory = System.IO.Directory.CreateTempSubdirectory("kata-fault-").FullName;
        Root = Path.Combine(Directory, "root");
        Configure(kata, hypervisor);
    }

    public string Directory { get; }

    public string Root { get; }

    public string Configuration => Path.Combine(Directory, "configuration.toml");

    /// <summary>The executable under test, or a skip that says what is missing.</summary>
    public static string Runtime { get; } = Find();

    /// <summary>The <c>*@HASH</c> that every control group of this root ends in.</summary>
    private string GroupSuffix => "@" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Root)).AsSpan(0, 6));

    /// <summary>Writes the configuration; later lines of the arguments replace the harness's own.</summary>
    public void Configure(string kata = "", string hypervisor = "")
    {
        Dictionary<string, string> keys = new()
        {
            ["path"] = "\"/usr/bin/qemu-system-x86_64\"",
            ["kernel"] = $"\"{GuestFiles.Kernel}\"",
            ["initrd"] = $"\"{GuestFiles.Initrd}\"",
            ["virtio_fs_daemon"] = "\"/usr/lib/qemu/virtiofsd\"",
            ["default_memory"] = "256",
        };
        Dictionary<string, string> limits = new() { ["stop_timeout"] = "3" };
        Merge(keys, hypervisor);
        Merge(limits, kata);
        WriteConfiguration($"[hypervisor.qemu]\n{Lines(keys)}\n[kata]\n{Lines(limits)}");
    }

    public void WriteConfiguration(string text) => File.WriteAllText(Configuration, text);

    /// <summary>A bundle with busybox. Sleeps unless edited.</summary>
    public string Bundle(string name = "bundle", Action<JsonObject>? edit = null)
    {
        string directory = Path.Combine(Directory, name);
        string bin = Path.Combine(directory, "rootfs", "bin");
        System.IO.Directory.CreateDirectory(bin);
        foreach (string other in (string[])["proc", "dev", "sys", "tmp"])
        {
            System.IO.Directory.CreateDirectory(Path.Combine(directory, "rootfs", other));
        }

        Assert.SkipUnless(File.Exists("/usr/bin/busybox"), "needs /usr/bin/busybox (busybox-static)");
        if (!File.Exists(Path.Combine(bin, "busybox")))
        {
            File.Copy("/usr/bin/busybox", Path.Combine(bin, "busybox"));
            foreach (string applet in (string[])["sh", "sleep", "cat", "echo", "true"])
            {
                File.CreateSymbolicLink(Path.Combine(bin, applet), "busybox");
            }
        }

        JsonObject config = JsonNode.Parse("""
            { "ociVersion": "1.0.2",
              "process": { "terminal": false, "user": { "uid": 0, "gid": 0 }, "args": ["sleep", "1000"], "env": ["PATH=/bin"], "cwd": "/" },
              "root": { "path": "rootfs" },
              "mounts": [ { "destination": "/proc", "type": "proc", "source": "proc" } ],
              "linux": {
                "namespaces": [ { "type": "pid" }, { "type": "mount" }, { "type": "ipc" }, { "type": "uts" }, { "type": "network" } ] } }
            """)!.AsObject();
        edit?.Invoke(config);
        File.WriteAllText(Path.Combine(directory, "config.json"), config.ToJsonString());
        return directory;
    }

    /// <summary>Starts <c>kata-runtime</c> with this root and configuration.</summary>
    public FaultCommand Start(params string[] arguments) => StartRaw(Runtime, WithOptions(arguments));

    /// <summary>The arguments of a command with this root and configuration.</summary>
    public string[] WithOptions(params string[] arguments) => ["--root", Root, "--kata-config", Configuration, .. arguments];

    public FaultCommand StartRaw(string path, params string[] arguments)
    {
        FaultCommand command = FaultCommand.Start(path, arguments);
        _commands.Add(command);
        return command;
    }

    public Task<Outcome> RunAsync(params string[] arguments) => Start(arguments).FinishAsync();

    /// <summary>The same, and it must succeed.</summary>
    public async Task<Outcome> SucceedAsync(params string[] arguments)
    {
        Outcome outcome = await RunAsync(arguments);
        Assert.True(outcome.Code == 0, $"{string.Join(' ', arguments)}: {outcome}");
        return outcome;
    }

    /// <summary>The pod's service.</summary>
    public int ServicePid(string id) => RecordedPid(File.ReadLines(Path.Combine(Root, id, "journal")).First());

    /// <summary>The process that a line of a journal is about.</summary>
    public static int RecordedPid(string line) =>
        int.Parse(JsonNode.Parse(line)!["value"]!.GetValue<string>().Split(' ')[0], CultureInfo.InvariantCulture);

    /// <summary>The processes of this root's control groups that run the named program.</summary>
    public IReadOnlyList<int> PodProcesses(string program) => [.. Processes()
        .Where(pid => ReadText($"/proc/{pid}/comm").Trim() == program
            && ReadText($"/proc/{pid}/cgroup").Contains(GroupSuffix, StringComparison.Ordinal))];

    /// <summary>Waits, without a sleep of its own in any test, until something is so.</summary>
    public static async Task UntilAsync(Func<bool> condition, string what)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(TimeSpan.FromSeconds(120));
        while (!condition())
        {
            Assert.False(limit.IsCancellationRequested, $"waited too long until {what}");
            await Task.Delay(5, CancellationToken.None);
        }
    }

    public static void Signal(int pid, int signal) => Assert.Equal(0, LibC.kill(pid, signal));

    public static void Kill(int pid) => _ = LibC.kill(pid, Signals.SIGKILL); // it may have ended by itself

    /// <summary>Everything that a pod of this root could have left on the host; empty when clean.</summary>
    public IReadOnlyList<string> Leftovers()
    {
        List<string> left = [];
        int self = Environment.ProcessId;
        left.AddRange(Processes()
            .Where(pid => pid != self && IsOfThisRoot(pid) && !ReadText($"/proc/{pid}/stat").Contains(") Z", StringComparison.Ordinal))
            .Select(static pid => $"process {pid} {ReadText($"/proc/{pid}/cmdline").Replace('\0', ' ')}"));
        left.AddRange(File.ReadLines("/proc/self/mounts")
            .Where(line => line.Contains(Root, StringComparison.Ordinal))
            .Select(static line => $"mount {line}"));
        foreach (string hierarchy in System.IO.Directory.EnumerateDirectories("/sys/fs/cgroup"))
        {
            string ours = Path.Combine(hierarchy, "kata");
            if (System.IO.Directory.Exists(ours))
            {
                left.AddRange(System.IO.Directory.EnumerateDirectories(ours, "*" + GroupSuffix).Select(static group => $"cgroup {group}"));
            }
        }

        if (System.IO.Directory.Exists(Root))
        {
            string index = Path.Combine(Root, "@containers");
            left.AddRange(System.IO.Directory.EnumerateFileSystemEntries(Root, "*", SearchOption.AllDirectories)
                .Where(path => path != index)
                .Select(static path => $"file {path}"));
        }

        return left;

        bool IsOfThisRoot(int pid) => ReadText($"/proc/{pid}/cmdline").Contains(Root, StringComparison.Ordinal)
            || ReadText($"/proc/{pid}/cgroup").Contains(GroupSuffix, StringComparison.Ordinal);
    }

    /// <summary>Commands that were told to end may take a moment to be gone; anything that stays fails the test.</summary>
    public async Task AssertNothingLeftAsync()
    {
        long start = TimeProvider.System.GetTimestamp();
        while (Leftovers().Count > 0 && TimeProvider.System.GetElapsedTime(start) < TimeSpan.FromSeconds(5))
        {
            await Task.Delay(20, CancellationToken.None);
        }

        Assert.Empty(Leftovers());
    }

    public async ValueTask DisposeAsync()
    {
        _commands.ForEach(static command => command.Dispose());
        if (System.IO.Directory.Exists(Path.Combine(Root, "@containers")))
        {
            foreach (string pod in System.IO.Directory.EnumerateFileSystemEntries(Path.Combine(Root, "@containers")).ToArray())
            {
                using FaultCommand delete = FaultCommand.Start(Runtime, ["--root", Root, "delete", "--force", Path.GetFileName(pod)]);
                await delete.FinishAsync();
            }
        }

        DirectoryTree.Remove(Directory); // with names that .NET cannot spell
    }

    private static IEnumerable<int> Processes() => System.IO.Directory.EnumerateDirectories("/proc")
        .Select(static path => int.TryParse(Path.GetFileName(path), NumberStyles.None, CultureInfo.InvariantCulture, out int pid) ? pid : 0)
        .Where(static pid => pid > 0);

    private static string ReadText(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return ""; // it has ended
        }
    }

    private static void Merge(Dictionary<string, string> keys, string lines)
    {
        foreach (string[] pair in lines.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(static line => line.Split(" = ", 2)))
        {
            keys[pair[0].Trim()] = pair[1];
        }
    }

    private static string Lines(Dictionary<string, string> keys) =>
        string.Concat(keys.Select(static pair => $"{pair.Key} = {pair.Value}\n"));

    private static string Find()
    {
        string? path = Environment.GetEnvironmentVariable("KATA_TEST_RUNTIME");
        for (string? directory = AppContext.BaseDirectory;
             path is null && directory is not null;
             directory = Path.GetDirectoryName(directory))
        {
            string candidate = Path.Combine(directory, "artifacts/bin/kata-runtime");
            path = File.Exists(candidate) ? candidate : null;
        }

        return path ?? "/nonexistent/kata-runtime";
    }
}
