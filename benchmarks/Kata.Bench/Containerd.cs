using System.Diagnostics;
using Kata.Testing;

namespace Kata.Bench;

/// <summary>A containerd of our own that finds the shim, with a busybox image. Disposing ends it.</summary>
internal sealed class Containerd : IDisposable
{
    public const string Image = "example.org/bench:1";

    private const string Daemon = "/usr/bin/containerd";
    private const string Ctr = "/usr/bin/ctr";

    private readonly Workspace _workspace;
    private readonly string _namespace;
    private readonly string _folder;
    private readonly Process _process;

    /// <param name="workspace">Where it lies.</param>
    /// <param name="containerdNamespace">Also the name of the state root of its pods: nobody else's on the machine.</param>
    /// <param name="cri">The configuration of its CRI service; by default it has none.</param>
    /// <param name="configuration">Kata's configuration; by default the usual one.</param>
    public Containerd(
        Workspace workspace, string? containerdNamespace = null, string cri = """disabled_plugins = ["io.containerd.grpc.v1.cri"]""",
        string configuration = "")
    {
        _namespace = containerdNamespace ?? $"bench{Environment.ProcessId}";
        _workspace = workspace;
        _folder = Directory.CreateDirectory(Path.Combine(workspace.Folder, $"containerd-{_namespace}")).FullName;
        Directory.CreateDirectory(Path.Combine(_folder, "bin"));
        File.CreateSymbolicLink(Path.Combine(_folder, "bin", "containerd-shim-kata-v2"), workspace.Runtime);
        string config = Path.Combine(_folder, "config.toml");
        File.WriteAllText(config, $"""
            version = 2
            root = "{_folder}/root"
            state = "{_folder}/state"
            {cri}
            [grpc]
            address = "{Socket}"
            [ttrpc]
            address = "{_folder}/t.sock"
            """);
        string script =
            $"KATA_CONF_FILE={configuration} PATH={_folder}/bin:/usr/sbin:/usr/bin:/sbin:/bin "
            + $"exec {Daemon} --config {config} --log-level error 2> {_folder}/log";
        _process = Process.Start(new ProcessStartInfo("/bin/sh", ["-c", script]))!;
        while (workspace.Capture(Ctr, [.. Common, "version"]).Code != 0)
        {
            Thread.Sleep(100); // it says by nothing else that it listens
        }

        string image = Path.Combine(_folder, "image.tar");
        DockerArchive.Write(image, Path.Combine(workspace.Folder, "rootfs"), Image, """["sleep", "1000000"]"""); // it is also the pods' own
        workspace.Time(Ctr, [.. Common, "images", "import", image]);
    }

    public static bool IsInstalled => File.Exists(Daemon) && File.Exists(Ctr);

    public int Pid => _process.Id;

    public string StateRoot => $"/run/kata/@{_namespace}";

    public string Socket => Path.Combine(_folder, "c.sock");

    private string[] Common => ["--address", Socket, "--namespace", _namespace];

    /// <summary>Runs ctr to its end, its input open until then, and returns how long it took in seconds.</summary>
    public double Time(params string[] arguments) => _workspace.Time(Ctr, [.. Common, .. arguments], keepInput: true);

    /// <summary>Starts a container that sleeps and waits until it runs.</summary>
    public double Start(string runtime, string id) => Time("run", "--detach", "--runtime", runtime, Image, id, "sleep", "100000");

    public void Remove(string id)
    {
        _workspace.Capture(Ctr, [.. Common, "tasks", "delete", "--force", id]);
        _workspace.Capture(Ctr, [.. Common, "containers", "delete", id]);
    }

    public void Dispose()
    {
        _workspace.Capture("/bin/kill", ["-TERM", Pid.ToString(System.Globalization.CultureInfo.InvariantCulture)]);
        _process.WaitForExit();
        _process.Dispose();
        if (Directory.Exists(StateRoot))
        {
            Directory.Delete(StateRoot, recursive: true);
        }
    }
}
