using Kata.Integration.Tests.Harness;
using Kata.Storage;

namespace Kata.Integration.Tests.Storage;

/// <summary>
/// A pod for each virtiofsd with each guest kernel, whose one container has asked everything that <c>file-questions.c</c> asks, on a
/// volume and on its root file system. What is not there is downloaded once, into the checkout's cache.
/// </summary>
public sealed class FileServerFixture : RuntimeFixture
{
    internal const string C = "C", Rust = "Rust", Default = "default", Newer = "bookworm-backports";

    private static readonly TimeSpan s_buildLimit = TimeSpan.FromMinutes(5);

    private readonly Dictionary<(string, string), FileServerPod> _pods = [];

    /// <summary>The pod, or a skip with the reason why there is none.</summary>
    internal FileServerPod Pod(string daemon, string kernel)
    {
        Require();
        FileServerPod pod = _pods[(daemon, kernel)];
        Assert.SkipWhen(pod.Problem is not null, pod.Problem ?? "");
        return pod;
    }

    /// <summary>The executable, and why there is none, or null.</summary>
    internal static async Task<(string Path, string? Problem)> DaemonAsync(string daemon)
    {
        if (daemon == C)
        {
            const string Qemu = "/usr/lib/qemu/virtiofsd";
            bool isThere = File.Exists(Qemu)
                && (await VirtioFsDaemonProgram.AskAsync(Qemu, TimeProvider.System)).Kind == VirtioFsDaemonKind.C;
            return (Qemu, isThere ? null : "needs QEMU's virtiofsd (Debian 12: apt-get install qemu-system-common)");
        }

        string fetched = Path.Combine(Checkout(), "artifacts/libexec/kata-containers/virtiofsd/virtiofsd");
        string path = File.Exists(fetched) ? fetched : "/usr/libexec/virtiofsd";
        return (path, File.Exists(path) ? null : "needs the Rust virtiofsd ('scripts/virtiofsd')");
    }

    private protected override async Task PrepareAsync()
    {
        (string? program, string? noProgram) = await CompileAsync();
        foreach (string kernel in (string[])[Default, Newer])
        {
            (string guest, string? noGuest) = await GuestAsync(kernel);
            foreach (string daemon in (string[])[C, Rust])
            {
                (string path, string? noDaemon) = await DaemonAsync(daemon);
                string? problem = noProgram ?? noGuest ?? noDaemon;
                _pods[(daemon, kernel)] = problem is not null
                    ? new FileServerPod { Problem = problem }
                    : await StartAsync(program!, path, guest);
            }
        }
    }

    private static string Checkout() => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(RuntimePath)!, "../.."));

    private static async Task<(string Guest, string? Problem)> GuestAsync(string kernel)
    {
        string share = Path.Combine(Checkout(), "artifacts/share/kata-containers");
        if (kernel == Default)
        {
            return (share, null);
        }

        string folder = Path.Combine(Checkout(), "artifacts/guest", kernel);
        using RunningCommand build = RunningCommand.Start(Path.Combine(Checkout(), "guest/build"), ["--suite", kernel, "--output", folder]);
        CommandResult result = await build.FinishAsync(default, s_buildLimit);
        return (folder, result.ExitCode == 0 ? null : $"no guest with a kernel of {kernel}: {result.Error}");
    }

    private async Task<(string? Program, string? Problem)> CompileAsync()
    {
        string source = Path.Combine(DirectoryPath, "file-questions.c"), program = Path.Combine(RootFs, "bin/file-questions");
        await using (Stream text = typeof(FileServerFixture).Assembly.GetManifestResourceStream("file-questions.c")!)
        await using (FileStream file = File.Create(source))
        {
            await text.CopyToAsync(file);
        }

        if (!File.Exists("/usr/bin/gcc"))
        {
            return (null, "needs gcc and libc6-dev (Debian: apt-get install gcc libc6-dev)");
        }

        using RunningCommand compiler = RunningCommand.Start("/usr/bin/gcc", ["-static", "-O1", "-Wall", "-Werror", "-o", program, source]);
        (await compiler.FinishAsync(default, Limit)).Ok();
        return (program, null);
    }

    private async Task<FileServerPod> StartAsync(string program, string daemon, string guest)
    {
        await File.WriteAllTextAsync(
            ConfigurationFile,
            $"""
            [hypervisor.qemu]
            default_memory = 256
            virtio_fs_daemon = "{daemon}"
            kernel = "{guest}/vmlinuz.container"
            initrd = "{guest}/kata-containers-initrd.img"
            [kata]
            boot_timeout = 240
            request_timeout = 120
            """);
        string id = NewId(), volume = NewDirectory("volume"), root = RootFileSystem.Create(NewDirectory("root"));
        File.Copy(program, Path.Combine(root, "bin/file-questions"));
        TestBundle bundle = new TestBundle(NewDirectory("bundle"))
            .RootFs(root).Args("sleep", "100000").Mount("/vol", "bind", volume, "rbind", "rw");
        string[] capabilities = ["CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_FSETID", "CAP_SETGID", "CAP_SETUID", "CAP_SETPCAP"];
        foreach (string set in (string[])["bounding", "effective", "permitted"])
        {
            bundle.Process["capabilities"]![set] = TestBundle.Array(capabilities);
        }

        // Fewer files than the questions look at: what the caller may have open is not what the file server may.
        const string Script = "ulimit -Sn 512; exec \"$@\" < /dev/null > /dev/null 2>&1";
        using RunningCommand run = RunningCommand.Start(
            "/bin/sh", ["-c", Script, "sh", RuntimePath!, .. Globals("run", "--detach", "--bundle", bundle.Write(), id)]);
        int code = await run.ExitAsync(Limit);
        Assert.True(code == 0, $"the pod with '{daemon}' and '{guest}' did not start: {await File.ReadAllTextAsync(Log)}");
        return new FileServerPod
        {
            Id = id,
            Volume = volume,
            Program = await VirtioFsDaemonProgram.AskAsync(daemon, TimeProvider.System),
            OnVolume = Answers(await ExecAsync(id, "file-questions", "/vol/asked")),
            OnRoot = Answers(await ExecAsync(id, "file-questions", "/asked")),
        };
    }

    private static Dictionary<string, string> Answers(CommandResult result) =>
        result.Ok().Lines.Select(static line => line.Split(' ', 2)).ToDictionary(static words => words[0], static words => words[1]);
}
