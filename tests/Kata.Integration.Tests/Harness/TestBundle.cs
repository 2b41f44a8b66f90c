using System.Text.Json.Nodes;

namespace Kata.Integration.Tests.Harness;

/// <summary>An OCI bundle: a directory with a <c>config.json</c> that a test edits as JSON, as <c>runc spec</c> would write it.</summary>
internal sealed class TestBundle
{
    private const string Template = """
        {
          "ociVersion": "1.0.2",
          "process": {
            "terminal": false,
            "user": { "uid": 0, "gid": 0 },
            "args": ["true"],
            "env": ["PATH=/bin", "TERM=xterm"],
            "cwd": "/",
            "capabilities": {
              "bounding": ["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"],
              "effective": ["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"],
              "permitted": ["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"]
            },
            "rlimits": [{ "type": "RLIMIT_NOFILE", "hard": 1024, "soft": 1024 }],
            "noNewPrivileges": true
          },
          "root": { "path": "rootfs", "readonly": false },
          "hostname": "kata-test",
          "mounts": [
            { "destination": "/proc", "type": "proc", "source": "proc" },
            { "destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "strictatime", "mode=755", "size=65536k"] },
            {
              "destination": "/dev/pts", "type": "devpts", "source": "devpts",
              "options": ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"]
            },
            { "destination": "/sys", "type": "sysfs", "source": "sysfs", "options": ["nosuid", "noexec", "nodev", "ro"] },
            {
              "destination": "/sys/fs/cgroup", "type": "cgroup", "source": "cgroup",
              "options": ["nosuid", "noexec", "nodev", "relatime", "ro"]
            }
          ],
          "linux": {
            "resources": { "devices": [{ "allow": false, "access": "rwm" }] },
            "namespaces": [
              { "type": "pid" }, { "type": "network" }, { "type": "ipc" }, { "type": "uts" }, { "type": "cgroup" }, { "type": "mount" }
            ],
            "maskedPaths": ["/proc/kcore", "/proc/timer_list", "/sys/firmware"],
            "readonlyPaths": ["/proc/sys", "/proc/sysrq-trigger"]
          }
        }
        """;

    public TestBundle(string directory)
    {
        Directory = directory;
        System.IO.Directory.CreateDirectory(directory);
        Config = JsonNode.Parse(Template)!.AsObject();
    }

    public string Directory { get; }

    public JsonObject Config { get; }

    public JsonObject Process => Config["process"]!.AsObject();

    public JsonObject Linux => Config["linux"]!.AsObject();

    public TestBundle Args(params string[] arguments)
    {
        Process["args"] = Array(arguments);
        return this;
    }

    public TestBundle Shell(string script) => Args("sh", "-c", script);

    public TestBundle RootFs(string path)
    {
        Config["root"]!["path"] = path;
        return this;
    }

    public TestBundle Mount(string destination, string type, string source, params string[] options)
    {
        Config["mounts"]!.AsArray().Add(new JsonObject
        {
            ["destination"] = destination,
            ["type"] = type,
            ["source"] = source,
            ["options"] = Array(options),
        });
        return this;
    }

    public TestBundle Annotation(string key, string value)
    {
        JsonObject annotations = Config["annotations"]?.AsObject() ?? [];
        annotations[key] = value;
        Config["annotations"] ??= annotations;
        return this;
    }

    /// <summary>Makes it the container that is the pod (CRI's "sandbox").</summary>
    public TestBundle AsPod() => Annotation("io.kubernetes.cri.container-type", "sandbox");

    public TestBundle InPod(string pod) =>
        Annotation("io.kubernetes.cri.container-type", "container").Annotation("io.kubernetes.cri.sandbox-id", pod);

    public TestBundle Edit(Action<TestBundle> edit)
    {
        edit(this);
        return this;
    }

    /// <summary>Writes <c>config.json</c> as it now is.</summary>
    public string Write()
    {
        File.WriteAllText(Path.Combine(Directory, "config.json"), Config.ToJsonString());
        return Directory;
    }

    public static JsonArray Array(params string[] items) => [.. items.Select(static item => (JsonNode)item)];
}
