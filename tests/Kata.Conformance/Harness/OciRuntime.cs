using Kata.Integration.Tests.Harness;

namespace Kata.Conformance.Harness;

/// <summary>A runtime under test, known by its command line only.</summary>
internal sealed class OciRuntime
{
    /// <summary>Debian's crun cannot use a hierarchy that mixes both versions of cgroups: each of its commands sees a pure one.</summary>
    private const string PureCgroups = "mount -t cgroup2 none /sys/fs/cgroup && exec \"$0\" \"$@\"";

    private readonly string _path;
    private readonly string[] _prefix;

    private OciRuntime(string name, string path, string? problem, params string[] prefix) =>
        (Name, _path, Problem, _prefix) = (name, path, problem, prefix);

    /// <summary>The names, for theories: all, or those that KATA_CONFORMANCE_RUNTIMES lists with commas between.</summary>
    public static TheoryData<string> Names
    {
        get
        {
            string? chosen = Environment.GetEnvironmentVariable("KATA_CONFORMANCE_RUNTIMES");
            return [.. (string.IsNullOrEmpty(chosen) ? "runc,crun,kata" : chosen).Split(',')];
        }
    }

    public string Name { get; }

    /// <summary>Why it cannot be tested here, or null.</summary>
    public string? Problem { get; }

    public static OciRuntime Of(string name) => name switch
    {
        "runc" => Installed("runc"),
        "crun" => Installed("crun", "/usr/bin/unshare", "--mount", "--propagation", "private", "/bin/sh", "-c", PureCgroups),
        _ => new OciRuntime("kata", Files.FindAbove("artifacts/bin/kata-runtime") ?? "", KataProblem()),
    };

    /// <summary>The executable and the whole argument list of one command.</summary>
    public (string Path, string[] Arguments) Command(string directory, params string[] arguments)
    {
        string[] own = Name switch
        {
            "kata" => ["--kata-config", Path.Combine(directory, "configuration.toml")],
            // Its device filter needs a limit raised, which takes a capability that not every root has.
            "crun" => ["--cgroup-manager", "disabled"],
            _ => [],
        };
        string[] globals = ["--root", Path.Combine(directory, "run"), .. own];
        return _prefix.Length == 0 ? (_path, [.. globals, .. arguments]) : (_prefix[0], [.. _prefix[1..], _path, .. globals, .. arguments]);
    }

    private static OciRuntime Installed(string name, params string[] prefix)
    {
        string? path = new[] { $"/usr/sbin/{name}", $"/usr/bin/{name}" }.FirstOrDefault(File.Exists);
        return new OciRuntime(
            name, path ?? "", CommonProblem() ?? (path is null ? $"needs {name} (Debian: apt-get install {name})" : null), prefix);
    }

    private static string? CommonProblem() =>
        Environment.UserName != "root" ? "needs root"
        : RootFileSystem.Busybox is null ? "needs busybox (Debian: apt-get install busybox-static)"
        : null;

    private static string? KataProblem() =>
        CommonProblem()
        ?? (Files.FindAbove("artifacts/bin/kata-runtime") is null ? "needs 'artifacts/bin/kata-runtime' ('make build')"
        : Files.FindAbove("artifacts/share/kata-containers/kata-containers-initrd.img") is null ? "needs the guest image ('make guest')"
        : null);
}
