using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;

namespace Kata.Integration.Tests.Harness;

/// <summary>
/// The real <c>kata-runtime</c> with a state root, a configuration and bundles of its own. Shared by the tests of a class. When
/// it goes, it deletes its containers and asserts that the host is as before.
/// </summary>
public class RuntimeFixture : IAsyncLifetime
{
    /// <summary>Long enough for a boot in software emulation on a loaded machine; reaching it is a failure, never a measurement.</summary>
    internal static readonly TimeSpan Limit = TimeSpan.FromSeconds(120);

    private const string Executable = "artifacts/bin/kata-runtime";

    /// <summary>Whether pods come from a pool, where a test does not ask for another machine: <c>KATA_TEST_FACTORY=cache</c>.</summary>
    private static readonly bool s_usesPool = Environment.GetEnvironmentVariable("KATA_TEST_FACTORY") == "cache";

    private static int s_fixtures;

    private readonly List<string> _ids = [];
    private readonly string _prefix = string.Create(
        CultureInfo.InvariantCulture, $"it{Environment.ProcessId}-{Interlocked.Increment(ref s_fixtures)}-");
    private DirectoryInfo? _directory;
    private int _directories;

    /// <summary>The executable; before <see cref="Problem"/>, whose initialiser reads it.</summary>
    internal static string? RuntimePath { get; } = FindAbove(Executable);

    /// <summary>Why nothing can run here, or null.</summary>
    internal static string? Problem { get; } = FindProblem();

    internal string DirectoryPath => _directory!.FullName;

    /// <summary>The state root.</summary>
    internal virtual string Root => Path.Combine(DirectoryPath, "run");

    internal string ConfigurationFile => Path.Combine(DirectoryPath, "configuration.toml");

    /// <summary>A root file system that the fixture's bundles share.</summary>
    internal string RootFs => Path.Combine(DirectoryPath, "rootfs");

    internal string Log => Path.Combine(DirectoryPath, "log");

    /// <summary>Skips the test with the reason, where containers cannot run.</summary>
    internal static void Require() => Assert.SkipWhen(Problem is not null, Problem ?? "");

    public async ValueTask InitializeAsync()
    {
        if (Problem is not null)
        {
            return; // each test skips by itself, with the text
        }

        _directory = Directory.CreateTempSubdirectory("kata-it-");
        RootFileSystem.Create(RootFs);
        // 256 MiB: enough for busybox, and twenty fit on a small machine. Twenty that boot at once on two processors take minutes.
        await File.WriteAllTextAsync(
            ConfigurationFile, "[hypervisor.qemu]\ndefault_memory = 256\n[kata]\nboot_timeout = 240\nrequest_timeout = 120\n");
        if (s_usesPool)
        {
            await File.AppendAllTextAsync(
                ConfigurationFile, $"[factory]\nvm_cache_number = 2\nvm_cache_endpoint = \"{DirectoryPath}/pool.sock\"\n");
            (await RunAsync("factory", "init")).Ok();
        }

        await PrepareAsync();
    }

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        if (_directory is null)
        {
            return;
        }

        for (int i = _ids.Count - 1; i >= 0; i--)
        {
            await RunAsync(["delete", "--force", _ids[i]]);
        }

        await AssertCleanAsync();
        await CleanUpAsync();
        if (s_usesPool)
        {
            (await RunAsync("factory", "destroy")).Ok();
        }

        _directory.Delete(recursive: true);
    }

    /// <summary>An id that no other test on the machine uses. The container is deleted with the fixture.</summary>
    internal string NewId()
    {
        string id = string.Create(CultureInfo.InvariantCulture, $"{_prefix}{_ids.Count}");
        _ids.Add(id);
        return id;
    }

    /// <summary>A bundle on the shared root file system; the test edits and writes it.</summary>
    internal TestBundle NewBundle() => new TestBundle(NewDirectory("bundle")).RootFs(RootFs);

    internal string NewDirectory(string name)
    {
        string path = Path.Combine(
            DirectoryPath, string.Create(CultureInfo.InvariantCulture, $"{name}-{Interlocked.Increment(ref _directories)}"));
        Directory.CreateDirectory(path);
        return path;
    }

    internal RunningCommand Start(params string[] arguments) => RunningCommand.Start(RuntimePath!, Globals(arguments));

    /// <summary>The whole argument list of the executable for a command.</summary>
    internal string[] Globals(params string[] arguments) =>
        ["--root", Root, "--log", Log, "--kata-config", ConfigurationFile, .. arguments];

    internal Task<CommandResult> RunAsync(params string[] arguments) => RunAsync(arguments, default, Limit);

    internal async Task<CommandResult> RunAsync(string[] arguments, ReadOnlyMemory<byte> input, TimeSpan limit)
    {
        using RunningCommand command = Start(arguments);
        return await command.FinishAsync(input, limit);
    }

    /// <summary>
    /// Runs a command whose streams outlive it, as a detached container's do: they are files, since a pipe would not end with the
    /// command. What the container writes later appends to <c>Path</c> with <c>.out</c> and <c>.err</c>.
    /// </summary>
    internal async Task<(CommandResult Result, string Path)> RunDetachedAsync(params string[] arguments)
    {
        string path = Path.Combine(NewDirectory("detached"), "stream");
        const string Script = "path=$1; shift; exec \"$@\" </dev/null >\"$path.out\" 2>\"$path.err\"";
        using RunningCommand command = RunningCommand.Start("/bin/sh", ["-c", Script, "sh", path, RuntimePath!, .. Globals(arguments)]);
        CommandResult result = await command.FinishAsync(default, Limit);
        return (
            result with { Output = await File.ReadAllBytesAsync($"{path}.out"), Error = await File.ReadAllTextAsync($"{path}.err") }, path);
    }

    /// <summary>Starts a container that only sleeps, and returns its id.</summary>
    internal async Task<string> StartSleeperAsync(Action<TestBundle>? edit = null)
    {
        string id = NewId();
        TestBundle bundle = NewBundle().Args("sleep", "100000");
        edit?.Invoke(bundle);
        (await RunDetachedAsync("run", "--detach", "--bundle", bundle.Write(), id)).Result.Ok();
        return id;
    }

    internal Task<CommandResult> ExecAsync(string id, params string[] command) => RunAsync(["exec", id, .. command]);

    internal Task<CommandResult> ExecShellAsync(string id, string script) => RunAsync("exec", id, "sh", "-c", script);

    internal HostSnapshot Snapshot() => HostSnapshot.Take(Root, _prefix);

    /// <summary>The process that owns a pod.</summary>
    internal int ServicePid(string pod)
    {
        string state = Path.Combine(Root, pod, "state.json"); // from the boot on; whatever its command line says
        return File.Exists(state)
            ? JsonNode.Parse(File.ReadAllText(state))!["service"]!["pid"]!.GetValue<int>()
            : Snapshot().Processes.Single(process =>
                process.Command.Contains(" service ", StringComparison.Ordinal)
                && process.Command.Contains($"--sandbox {pod} ", StringComparison.Ordinal)).Pid;
    }

    /// <summary>Nothing of this fixture's containers is left on the host.</summary>
    internal Task AssertCleanAsync() => HostSnapshot.AssertCleanAsync(Root, _prefix);

    internal static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    /// <summary>Starts what the fixture's tests share.</summary>
    private protected virtual Task PrepareAsync() => Task.CompletedTask;

    /// <summary>Takes back what it made on the host besides.</summary>
    private protected virtual Task CleanUpAsync() => Task.CompletedTask;

    private static string? FindProblem() =>
        Environment.UserName != "root" ? "needs root"
        : RuntimePath is null ? $"needs '{Executable}' ('make build')"
        : FindAbove("artifacts/share/kata-containers/kata-containers-initrd.img") is null ? "needs the guest image ('make guest')"
        : !File.Exists("/usr/bin/qemu-system-x86_64") ? "needs QEMU (Debian: apt-get install qemu-system-x86)"
        : !HasFileServer() ? "needs virtiofsd (Debian: apt-get install qemu-system-common)"
        : RootFileSystem.Busybox is null ? "needs busybox (Debian: apt-get install busybox-static)"
        : null;

    private static bool HasFileServer() => File.Exists("/usr/lib/qemu/virtiofsd") || File.Exists("/usr/libexec/virtiofsd");

    private static string? FindAbove(string path)
    {
        for (string? directory = AppContext.BaseDirectory; directory is not null; directory = Path.GetDirectoryName(directory))
        {
            if (File.Exists(Path.Combine(directory, path)))
            {
                return Path.Combine(directory, path);
            }
        }

        return null;
    }
}
