using System.Globalization;
using System.Text.Json.Nodes;
using Kata.Integration.Tests.Harness;

namespace Kata.Integration.Tests.CriO;

/// <summary>
/// What CRI-O 1.34 has ready for a pod before it calls a runtime: files that hold the pod's namespaces, as its pinns makes them, its shared
/// memory, and the <c>config.json</c> of the pod and of each container, field by field as its server/sandbox_run_linux.go,
/// server/container_create_linux.go and internal/factory write them. There is no package of CRI-O to ask for the real ones.
/// </summary>
internal sealed class CriOPod
{
    private const string Capabilities =
        """["CAP_CHOWN","CAP_DAC_OVERRIDE","CAP_FSETID","CAP_FOWNER","CAP_SETGID","CAP_SETUID","CAP_SETPCAP","""
        + """ "CAP_NET_BIND_SERVICE","CAP_KILL"]""";

    private readonly RuntimeFixture _fixture;
    private readonly string _directory;
    private readonly string _uuid = Guid.NewGuid().ToString();
    private readonly bool _user;
    private readonly List<string> _mounts = [];

    private CriOPod(RuntimeFixture fixture, bool user)
    {
        _fixture = fixture;
        _user = user;
        Id = fixture.NewId();
        _directory = fixture.NewDirectory("crio");
    }

    /// <summary>The pod, and its own container.</summary>
    public string Id { get; }

    /// <summary>The file that holds one of the pod's namespaces: CRI-O's namespaces_dir, TYPEns, one name for all.</summary>
    public string Pin(string type) => Path.Combine(_directory, $"{type}ns", _uuid);

    /// <param name="fixture">Whose root file system the containers have.</param>
    /// <param name="user">Whether the pod has a user namespace, of which 0 is the host's 100000.</param>
    public static async Task<CriOPod> MakeAsync(RuntimeFixture fixture, bool user = false)
    {
        var pod = new CriOPod(fixture, user);
        string[] types = ["ipc", "net", "uts", .. user ? new[] { "user" } : []];
        using (RunningCommand holder = RunningCommand.Start(
            "unshare", [.. types.Select(static type => $"--{type}"), "sh", "-c", "echo; exec sleep 1000"]))
        {
            await holder.Output.ReadExactlyAsync(new byte[1]); // it is in them
            foreach (string type in types)
            {
                await pod.HoldAsync($"/proc/{holder.Pid}/ns/{type}", pod.Pin(type));
            }
        }

        string shm = Path.Combine(pod._directory, "shm");
        Directory.CreateDirectory(shm);
        await HostAsync("mount", "-t", "tmpfs", "-o", "nosuid,noexec,nodev,mode=1777,size=65536k", "shm", shm);
        pod._mounts.Add(shm);
        (string Name, string Text)[] files = [("resolv.conf", "nameserver 10.0.0.10\n"), ("hostname", "crio-pod\n"), (".containerenv", "")];
        foreach ((string name, string text) in files)
        {
            await File.WriteAllTextAsync(Path.Combine(pod._directory, name), text);
        }

        return pod;
    }

    /// <summary>Holds the pid namespace of a process by a file, as CRI-O does for a container that targets another.</summary>
    public async Task<string> PinProcessesAsync(string pid)
    {
        string path = Path.Combine(_directory, "pidns", string.Create(CultureInfo.InvariantCulture, $"pidns{_mounts.Count}"));
        await HoldAsync($"/proc/{pid}/ns/pid", path);
        return path;
    }

    /// <summary>The pod's bundle. Its program only sleeps, as the pause image's does.</summary>
    public string WriteSandbox(Action<JsonObject>? edit = null)
    {
        JsonObject config = Template(["/bin/sleep", "100000"], oomScoreAdj: -998);
        config["root"]!["readonly"] = true;
        config["linux"]!["cgroupsPath"] = $"crio-{Id}";
        config["linux"]!["resources"]!["cpu"] = new JsonObject { ["shares"] = 2 };
        config["annotations"] = JsonNode.Parse($$"""
            {
              "io.container.manager": "cri-o", "io.kubernetes.container.name": "POD", "io.kubernetes.cri-o.Annotations": "{}",
              "io.kubernetes.cri-o.CNIResult": "{\"cniVersion\":\"1.0.0\"}", "io.kubernetes.cri-o.CgroupParent": "",
              "io.kubernetes.cri-o.ContainerID": "{{Id}}", "io.kubernetes.cri-o.ContainerName": "k8s_POD_test_default_uid_0",
              "io.kubernetes.cri-o.ContainerType": "sandbox", "io.kubernetes.cri-o.Created": "2025-11-30T02:11:41.123456789Z",
              "io.kubernetes.cri-o.HostName": "crio-pod", "io.kubernetes.cri-o.HostNetwork": "false",
              "io.kubernetes.cri-o.HostnamePath": "{{_directory}}/hostname", "io.kubernetes.cri-o.Image": "registry.k8s.io/pause:3.10.1",
              "io.kubernetes.cri-o.ImageName": "registry.k8s.io/pause:3.10.1", "io.kubernetes.cri-o.KubeName": "test",
              "io.kubernetes.cri-o.Labels": "{\"io.kubernetes.container.name\":\"POD\",\"io.kubernetes.pod.name\":\"test\"}",
              "io.kubernetes.cri-o.LogPath": "{{_directory}}/{{Id}}.log",
              "io.kubernetes.cri-o.Metadata": "{\"name\":\"test\",\"uid\":\"uid\",\"namespace\":\"default\"}",
              "io.kubernetes.cri-o.MountPoint": "{{_fixture.RootFs}}", "io.kubernetes.cri-o.Name": "k8s_test_default_uid_0",
              "io.kubernetes.cri-o.Namespace": "default", "io.kubernetes.cri-o.NamespaceOptions": "{\"pid\":1}",
              "io.kubernetes.cri-o.PodLinuxOverhead": "null", "io.kubernetes.cri-o.PodLinuxResources": "null",
              "io.kubernetes.cri-o.PortMappings": "[]", "io.kubernetes.cri-o.PrivilegedRuntime": "false",
              "io.kubernetes.cri-o.ResolvPath": "{{_directory}}/resolv.conf", "io.kubernetes.cri-o.RuntimeHandler": "kata",
              "io.kubernetes.cri-o.SandboxID": "{{Id}}", "io.kubernetes.cri-o.SandboxName": "k8s_test_default_uid_0",
              "io.kubernetes.cri-o.SeccompProfilePath": "Unconfined", "io.kubernetes.cri-o.ShmPath": "{{_directory}}/shm"
            }
            """);
        edit?.Invoke(config);
        return Write(config);
    }

    /// <summary>The bundle of a container of the pod.</summary>
    public string WriteContainer(string id, string[] program, Action<JsonObject>? edit = null)
    {
        JsonObject config = Template(program, oomScoreAdj: 997);
        config["process"]!["env"]!.AsArray().Add("HOSTNAME=crio-pod");
        config["process"]!["rlimits"] = JsonNode.Parse("""[{ "type": "RLIMIT_NOFILE", "hard": 805, "soft": 705 }]""");
        JsonNode linux = config["linux"]!;
        linux["cgroupsPath"] = $"/crio/crio-{id}";
        linux["resources"]!["memory"] = new JsonObject { ["limit"] = 96 << 20, ["swap"] = 96 << 20 };
        linux["resources"]!["cpu"] = new JsonObject { ["shares"] = 512, ["quota"] = 50_000, ["period"] = 100_000 };
        linux["maskedPaths"] = TestBundle.Array(
            "/proc/acpi", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list", "/proc/sched_debug", "/sys/firmware");
        linux["readonlyPaths"] = TestBundle.Array("/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger");
        Mount(config, "cgroup", "cgroup", "/sys/fs/cgroup", "nosuid", "noexec", "nodev", "relatime", "ro");
        Mount(config, "bind", Path.Combine(_directory, ".containerenv"), "/run/.containerenv", "rw", "bind", "nodev", "nosuid", "noexec");
        config["annotations"] = JsonNode.Parse($$"""
            {
              "io.container.manager": "cri-o", "io.kubernetes.container.name": "app", "io.kubernetes.cri-o.Annotations": "null",
              "io.kubernetes.cri-o.ContainerID": "{{id}}", "io.kubernetes.cri-o.ContainerType": "container",
              "io.kubernetes.cri-o.Created": "2025-11-30T02:11:43.123456789Z", "io.kubernetes.cri-o.IP.0": "10.85.0.2",
              "io.kubernetes.cri-o.Image": "busybox", "io.kubernetes.cri-o.ImageName": "docker.io/library/busybox:latest",
              "io.kubernetes.cri-o.ImageRef": "0123456789abcdef", "io.kubernetes.cri-o.Labels": "null",
              "io.kubernetes.cri-o.LogPath": "{{_directory}}/{{id}}.log", "io.kubernetes.cri-o.Metadata": "{\"name\":\"app\"}",
              "io.kubernetes.cri-o.MountPoint": "{{_fixture.RootFs}}", "io.kubernetes.cri-o.Name": "k8s_app_test_default_uid_0",
              "io.kubernetes.cri-o.PlatformRuntimePath": "", "io.kubernetes.cri-o.ResolvPath": "{{_directory}}/resolv.conf",
              "io.kubernetes.cri-o.SandboxID": "{{Id}}", "io.kubernetes.cri-o.SandboxName": "k8s_test_default_uid_0",
              "io.kubernetes.cri-o.SeccompProfilePath": "Unconfined", "io.kubernetes.cri-o.Stdin": "false",
              "io.kubernetes.cri-o.StdinOnce": "false", "io.kubernetes.cri-o.TTY": "false", "io.kubernetes.cri-o.Volumes": "null"
            }
            """);
        edit?.Invoke(config);
        return Write(config);
    }

    /// <summary>What CRI-O has executed: the container's process with another program.</summary>
    public static JsonObject ProcessOf(string bundle, bool terminal, params string[] program)
    {
        JsonObject process = JsonNode.Parse(File.ReadAllText(Path.Combine(bundle, "config.json")))!["process"]!.DeepClone().AsObject();
        process["args"] = TestBundle.Array(program);
        process["terminal"] = terminal;
        return process;
    }

    /// <summary>Names a namespace of a container by a file.</summary>
    public static void Join(JsonObject config, string type, string path) =>
        config["linux"]!["namespaces"]!.AsArray().Single(item => item!["type"]!.ToString() == type)!["path"] = path;

    /// <summary>The end of the pod.</summary>
    public async Task ReleaseAsync()
    {
        foreach (string mount in _mounts)
        {
            await HostAsync("umount", "--lazy", mount);
        }
    }

    private JsonObject Template(string[] program, int oomScoreAdj)
    {
        JsonObject config = JsonNode.Parse($$"""
            {
              "ociVersion": "1.2.1",
              "process": {
                "user": { "uid": 0, "gid": 0 }, "args": [], "cwd": "/",
                "env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm"],
                "capabilities": { "bounding": {{Capabilities}}, "effective": {{Capabilities}}, "permitted": {{Capabilities}} },
                "oomScoreAdj": {{oomScoreAdj}}
              },
              "root": { "path": "{{_fixture.RootFs}}" },
              "hostname": "crio-pod",
              "mounts": [],
              "linux": {
                "resources": { "devices": [{ "allow": false, "access": "rwm" }] },
                "namespaces": [{ "type": "pid" }, { "type": "network" }, { "type": "ipc" }, { "type": "uts" }, { "type": "mount" }]
              }
            }
            """)!.AsObject();
        config["process"]!["args"] = TestBundle.Array(program);
        Join(config, "ipc", Pin("ipc"));
        Join(config, "network", Pin("net"));
        Join(config, "uts", Pin("uts"));
        if (_user)
        {
            config["linux"]!["namespaces"]!.AsArray().Add(new JsonObject { ["type"] = "user", ["path"] = Pin("user") });
            foreach (string kind in new[] { "uidMappings", "gidMappings" })
            {
                config["linux"]![kind] = JsonNode.Parse("""[{ "containerID": 0, "hostID": 100000, "size": 65536 }]""");
            }
        }

        Mount(config, "proc", "proc", "/proc", "nosuid", "noexec", "nodev");
        Mount(config, "tmpfs", "tmpfs", "/dev", "nosuid", "strictatime", "mode=755", "size=65536k");
        Mount(config, "devpts", "devpts", "/dev/pts", "nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5");
        Mount(config, "mqueue", "mqueue", "/dev/mqueue", "nosuid", "noexec", "nodev");
        Mount(config, "sysfs", "sysfs", "/sys", "nosuid", "noexec", "nodev", "ro");
        Mount(config, "bind", Path.Combine(_directory, "resolv.conf"), "/etc/resolv.conf", "ro", "bind", "nodev", "nosuid", "noexec");
        Mount(config, "bind", Path.Combine(_directory, "shm"), "/dev/shm", "rw", "bind");
        Mount(config, "bind", Path.Combine(_directory, "hostname"), "/etc/hostname", "ro", "bind", "nodev", "nosuid", "noexec");
        return config;
    }

    private async Task HoldAsync(string space, string path)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        await File.WriteAllTextAsync(path, "");
        await HostAsync("mount", "--bind", space, path);
        _mounts.Add(path);
    }

    private static void Mount(JsonObject config, string type, string source, string destination, params string[] options) =>
        config["mounts"]!.AsArray().Add(new JsonObject
        {
            ["destination"] = destination,
            ["type"] = type,
            ["source"] = source,
            ["options"] = TestBundle.Array(options),
        });

    private string Write(JsonObject config)
    {
        string bundle = _fixture.NewDirectory("userdata");
        File.WriteAllText(Path.Combine(bundle, "config.json"), config.ToJsonString());
        return bundle;
    }

    private static async Task HostAsync(string program, params string[] arguments)
    {
        using RunningCommand command = RunningCommand.Start(program, arguments);
        (await command.FinishAsync(default, RuntimeFixture.Limit)).Ok();
    }
}
