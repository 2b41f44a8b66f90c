using System.Text;
using System.Text.Json.Nodes;
using Kata.Integration.Tests.Harness;
using Kata.Linux;

namespace Kata.Integration.Tests.CriO;

/// <summary>
/// CRI-O's <c>runtime_type = "oci"</c>: what its internal/oci/runtime_oci.go has conmon and the runtime do, with the real conmon. One pod
/// with one container for all tests of the class.
/// </summary>
public sealed class ConmonFixture : RuntimeFixture
{
    private const string Conmon = "/usr/bin/conmon";
    private static readonly string[] s_environment =
        ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "_OCI_SYNCPIPE=3", "_OCI_STARTPIPE=4"];

    private readonly List<CriOPod> _pods = [];

    /// <summary>Why CRI-O's way cannot be gone here, or null.</summary>
    internal static string? ConmonProblem =>
        File.Exists(Conmon) ? null : "needs conmon (Debian: apt-get install conmon, or podman, which brings it)";

    internal CriOPod Pod { get; private set; } = null!;

    /// <summary>A container of it whose program sleeps.</summary>
    internal string App { get; private set; } = "";

    internal string AppBundle { get; private set; } = "";

    // The operator's runtime_path: CRI-O itself passes nothing but --root.
    private string RuntimeScript => Path.Combine(DirectoryPath, "kata");

    /// <summary>CRI-O's RunPodSandbox.</summary>
    internal async Task<CriOPod> RunPodAsync(bool user = false)
    {
        CriOPod pod = await CriOPod.MakeAsync(this, user);
        _pods.Add(pod);
        await RunAsync(pod.Id, pod.WriteSandbox());
        return pod;
    }

    /// <summary>Creates and starts a container; its pid.</summary>
    internal async Task<string> RunAsync(string id, string bundle)
    {
        JsonNode answer = await CreateAsync(id, bundle);
        Assert.True(answer["pid"]!.GetValue<int>() > 0, answer.ToJsonString());
        (await CallAsync("start", id)).Ok();
        return answer["pid"]!.ToString();
    }

    /// <summary>What conmon says of a create.</summary>
    internal Task<JsonNode> CreateAsync(string id, string bundle) => ConmonAsync(bundle,
    [
        "-b", bundle, "-c", id, "--exit-dir", Exits, "-l", Path.Combine(bundle, "log"), "--log-level", "info", "-n", $"k8s_{id}",
        "-P", Path.Combine(bundle, "conmon-pidfile"), "-p", Path.Combine(bundle, "pidfile"), "--persist-dir", bundle, "-r", RuntimeScript,
        "--runtime-arg", $"--root={Root}", "--socket-dir-path", Sockets, "--syslog", "-u", id,
    ]);

    /// <summary>ExecSync: what the program wrote to its standard output, once it has ended with 0.</summary>
    internal async Task<string[]> ExecSyncAsync(string id, JsonObject process)
    {
        string directory = NewDirectory("exec"), log = Path.Combine(directory, "log"), spec = Path.Combine(directory, "process.json");
        await File.WriteAllTextAsync(spec, process.ToJsonString());
        JsonNode answer = await ConmonAsync(directory,
        [
            "-c", id, "-n", $"k8s_{id}", "-r", RuntimeScript, "-p", Path.Combine(directory, "pidfile"), "-e", "-l", log,
            "--socket-dir-path", Sockets, "--log-level", "info", "--sync", "--log-global-size-max", "16777216", "-T", "110",
            "--exec-process-spec", spec, "--runtime-arg", $"--root={Root}",
        ]);
        Assert.True(answer["exit_code"]?.GetValue<int>() == 0, answer.ToJsonString());
        var text = new StringBuilder();
        foreach (string[] record in (await File.ReadAllLinesAsync(log))
            .Select(static line => line.Split(' ', 4)).Where(static record => record[1] == "stdout"))
        {
            text.Append(record[3]).Append(record[2] == "P" ? "" : "\n"); // TIME STREAM P|F TEXT: a part of a line, or its end
        }

        return text.ToString().TrimEnd('\n').Split('\n');
    }

    /// <summary>What CRI-O calls the runtime itself for.</summary>
    internal Task<CommandResult> CallAsync(params string[] arguments) => CallAsync(default, arguments);

    /// <inheritdoc cref="CallAsync(string[])"/>
    internal async Task<CommandResult> CallAsync(ReadOnlyMemory<byte> input, params string[] arguments)
    {
        using RunningCommand command = RunningCommand.Start(RuntimeScript, ["--root", Root, .. arguments]);
        return await command.FinishAsync(input, Limit);
    }

    /// <summary>The file that conmon writes a container's status into, once it is there.</summary>
    internal async Task<string> ExitOfAsync(string id)
    {
        using var limit = new CancellationTokenSource(Limit);
        while (!File.Exists(Path.Combine(Exits, id)))
        {
            await Task.Delay(TimeSpan.FromMilliseconds(50), limit.Token);
        }

        return await File.ReadAllTextAsync(Path.Combine(Exits, id), limit.Token);
    }

    /// <summary>CRI-O's removal of a container: by force.</summary>
    internal async Task RemoveAsync(string id) => (await CallAsync("delete", "--force", id)).Ok();

    private string Exits => Path.Combine(DirectoryPath, "exits");

    private string Sockets => Path.Combine(DirectoryPath, "sockets");

    private protected override async Task PrepareAsync()
    {
        if (ConmonProblem is not null)
        {
            return;
        }

        await File.WriteAllTextAsync(RuntimeScript, $"#!/bin/sh\nexec '{RuntimePath}' --kata-config '{ConfigurationFile}' \"$@\"\n");
        File.SetUnixFileMode(RuntimeScript, (UnixFileMode)0x1ed /* 0755 */);
        Directory.CreateDirectory(Exits);
        Directory.CreateDirectory(Sockets);
        Pod = await RunPodAsync();
        App = NewId();
        AppBundle = Pod.WriteContainer(App, ["/bin/sleep", "100000"]);
        await RunAsync(App, AppBundle);
    }

    private protected override async Task CleanUpAsync()
    {
        foreach (CriOPod pod in _pods)
        {
            await pod.ReleaseAsync();
        }
    }

    // As CRI-O starts it: a pipe for what it says, and one that lets it begin.
    private static async Task<JsonNode> ConmonAsync(string directory, string[] arguments)
    {
        (SafeFileDescriptor said, SafeFileDescriptor says) = Pipe.Create();
        (SafeFileDescriptor begins, SafeFileDescriptor begin) = Pipe.Create();
        await using var go = new DescriptorStream(begin);
        using var answer = new StreamReader(new DescriptorStream(said));
        ChildProcess conmon;
        using (says)
        using (begins)
        {
            conmon = ChildProcess.Start(new SpawnOptions
            {
                Path = Conmon,
                Arguments = ["conmon", .. arguments],
                Environment = s_environment,
                Descriptors = new Dictionary<int, SafeFileDescriptor> { [3] = says, [4] = begins },
                WorkingDirectory = directory,
            });
        }

        await go.WriteAsync(new byte[1]);
        await conmon.Exited.WaitAsync(Limit);
        return JsonNode.Parse((await answer.ReadLineAsync().WaitAsync(Limit))!)!;
    }
}
