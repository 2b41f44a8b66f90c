using System.Text.Json.Nodes;
using Kata.Oci;
using Kata.Sandbox;
using Kata.Testing;

namespace Kata.Runtime.Tests;

/// <summary>A place in which everything is right, for a test to break one thing: a bundle, a configuration and their files.</summary>
internal sealed class BrokenSetup : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly JsonObject _config = JsonNode.Parse("""
        { "ociVersion": "1.0.2",
          "process": { "terminal": false, "user": { "uid": 0, "gid": 0 }, "args": ["sh"], "env": ["PATH=/bin"], "cwd": "/" },
          "root": { "path": "rootfs" },
          "mounts": [ { "destination": "/proc", "type": "proc", "source": "proc" } ],
          "linux": {
            "namespaces": [ { "type": "pid" }, { "type": "mount" }, { "type": "ipc" }, { "type": "uts" }, { "type": "network" } ] } }
        """)!.AsObject();

    public BrokenSetup()
    {
        Directory.CreateDirectory(File("bundle/rootfs"));
        Write("file", "");
        Configure("");
        Set("/ociVersion", "\"1.0.2\"");
    }

    public string Path => _directory.Path;

    public string File(string name) => _directory.File(name);

    public void Write(string name, string text) => System.IO.File.WriteAllText(File(name), text);

    /// <summary>Replaces the configuration's <c>[hypervisor.qemu]</c> keys by what is given, and adds the rest.</summary>
    public void Configure(string hypervisor, string rest = "")
    {
        string[] names = [.. hypervisor.Split('\n').Select(static line => line.Split(" = ")[0])];
        string usable = string.Concat(new[] { "path", "kernel", "initrd", "virtio_fs_daemon" }
            .Where(key => !names.Contains(key)).Select(key => $"{key} = \"{File("file")}\"\n"));
        Write("configuration.toml", $"[hypervisor.qemu]\n{hypervisor}\n{usable}{rest}");
    }

    /// <summary>Changes one field of config.json; null as JSON removes nothing.</summary>
    public void Set(string pointer, string json)
    {
        string[] names = pointer.Split('/')[1..];
        JsonNode at = _config;
        foreach (string name in names[..^1])
        {
            at = at is JsonArray list
                ? list[int.Parse(name, System.Globalization.CultureInfo.InvariantCulture)]!
                : at[name] ??= new JsonObject();
        }

        if (at is JsonArray last)
        {
            last[int.Parse(names[^1], System.Globalization.CultureInfo.InvariantCulture)] = JsonNode.Parse(json);
        }
        else
        {
            at[names[^1]] = JsonNode.Parse(json);
        }

        Write("bundle/config.json", _config.ToJsonString());
    }

    /// <summary>Ids that are known, of pods without a service.</summary>
    public void Claim(params string[] ids)
    {
        var index = new ContainerIndex(new SandboxDirectories(File("root")));
        foreach (string id in ids)
        {
            Assert.True(index.TryClaim(ContainerId.Parse(id), SandboxId.Parse(id)));
        }
    }

    /// <summary>What is on disk of a pod with one container. <c>{dir}</c> in a path is this place.</summary>
    public void WriteState(string id, string hypervisor, string kernel, string image)
    {
        Directory.CreateDirectory(File($"root/{id}"));
        SandboxStateStore.Write(File($"root/{id}/state.json"), new SandboxState
        {
            Version = SandboxState.CurrentVersion,
            Id = id,
            Runtime = "0",
            Service = ProcessIdentity.Of(Environment.ProcessId)!,
            Hypervisor = Here(hypervisor),
            KernelPath = Here(kernel),
            ImagePath = Here(image),
            Containers =
            [
                new ContainerState
                {
                    Id = id,
                    OciVersion = "1.0.2",
                    Bundle = "/b",
                    RootFs = "/b/r",
                    Status = ContainerStatus.Running,
                    Created = DateTimeOffset.UnixEpoch,
                },
            ],
        });
        string Here(string path) => path.Replace("{dir}", Path, StringComparison.Ordinal);
    }

    /// <summary>Runs the command with this root and configuration. The place's name becomes <c>{dir}</c> in what it said.</summary>
    public async Task<CommandRun> RunAsync(string command)
    {
        string[] arguments =
            [.. command.Replace("{dir}", Path, StringComparison.Ordinal).Split(' ').Select(static word => word == "''" ? "" : word)];
        string[] configuration = arguments.Contains("--kata-config") ? [] : ["--kata-config", File("configuration.toml")];
        CommandRun run = await CommandRun.RuntimeAsync(["--root", File("root"), .. configuration, .. arguments]);
        return run with
        {
            Output = run.Output.Replace(Path, "{dir}", StringComparison.Ordinal),
            Error = run.Error.Replace(Path, "{dir}", StringComparison.Ordinal),
        };
    }

    /// <summary>Whether the state root holds no pod but those that the test made.</summary>
    public bool RunLeavesNoPod() => !Directory.Exists(File("root"))
        || Directory.EnumerateDirectories(File("root")).All(path =>
            System.IO.Path.GetFileName(path) == "@containers" || System.IO.File.Exists(System.IO.Path.Combine(path, "state.json")));

    public void Dispose() => _directory.Dispose();
}
