using System.Globalization;
using System.Text;
using Grpc.Core;
using Kata.Integration.Tests.Containerd;
using Kata.Integration.Tests.Harness;

namespace Kata.Integration.Tests.Cri;

/// <summary>A pod as a kubelet makes it: its sandbox runs from <see cref="RunAsync"/> to <see cref="RemoveAsync"/>.</summary>
internal sealed class CriPod
{
    /// <summary>For one call: twenty machines that boot at once on two processors take minutes.</summary>
    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(5);

    private static int s_pods;

    private readonly CriFixture _cri;
    private readonly PodSandboxConfig _config;

    private CriPod(CriFixture cri, PodSandboxConfig config, string id)
    {
        _cri = cri;
        _config = config;
        Id = id;
    }

    public string Id { get; }

    private static DateTime Deadline => DateTime.UtcNow + s_limit;

    public static async Task<CriPod> RunAsync(CriFixture cri, string handler, Action<PodSandboxConfig>? edit = null)
    {
        string name = string.Create(CultureInfo.InvariantCulture, $"pod-{Environment.ProcessId}-{Interlocked.Increment(ref s_pods)}");
        var config = new PodSandboxConfig
        {
            Metadata = new PodSandboxMetadata { Name = name, Uid = name, Namespace = "default" },
            Hostname = name,
            LogDirectory = Path.Combine(cri.Logs, name),
            Linux = new LinuxPodSandboxConfig
            {
                // What a kubelet asks for a pod without requests of its own.
                SecurityContext = new LinuxSandboxSecurityContext
                {
                    NamespaceOptions = new NamespaceOption { Pid = NamespaceMode.Container },
                },
            },
        };
        edit?.Invoke(config);
        Directory.CreateDirectory(config.LogDirectory);
        RunPodSandboxResponse response = await cri.Client.RunPodSandboxAsync(
            new RunPodSandboxRequest { Config = config, RuntimeHandler = handler }, deadline: Deadline);
        return new CriPod(cri, config, response.PodSandboxId);
    }

    /// <summary>Creates a container and does not start it.</summary>
    public async Task<string> CreateAsync(string name, string[] command, Action<ContainerConfig>? edit = null)
    {
        var config = new ContainerConfig
        {
            Metadata = new ContainerMetadata { Name = name },
            Image = new ImageSpec { Image = ContainerdFixture.Image },
            Command = { command },
            LogPath = name + ".log",
            Linux = new LinuxContainerConfig
            {
                Resources = new LinuxContainerResources(),
                SecurityContext = new LinuxContainerSecurityContext { NamespaceOptions = _config.Linux.SecurityContext.NamespaceOptions },
            },
        };
        edit?.Invoke(config);
        CreateContainerResponse response = await _cri.Client.CreateContainerAsync(
            new CreateContainerRequest { PodSandboxId = Id, Config = config, SandboxConfig = _config }, deadline: Deadline);
        return response.ContainerId;
    }

    public async Task StartAsync(string container) =>
        await _cri.Client.StartContainerAsync(new StartContainerRequest { ContainerId = container }, deadline: Deadline);

    public async Task<string> RunContainerAsync(string name, string[] command, Action<ContainerConfig>? edit = null)
    {
        string id = await CreateAsync(name, command, edit);
        await StartAsync(id);
        return id;
    }

    /// <summary>Runs a container to its end.</summary>
    public async Task<ContainerStatus> RunToEndAsync(string name, string[] command, Action<ContainerConfig>? edit = null) =>
        await EndedAsync(await RunContainerAsync(name, command, edit));

    public async Task<ContainerStatus> StatusAsync(string container) =>
        (await _cri.Client.ContainerStatusAsync(new ContainerStatusRequest { ContainerId = container }, deadline: Deadline)).Status;

    /// <summary>Waits until the container has ended, as a kubelet does: by asking.</summary>
    public async Task<ContainerStatus> EndedAsync(string container)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(RuntimeFixture.Limit);
        while (true)
        {
            ContainerStatus status = await StatusAsync(container);
            if (status.State == ContainerState.ContainerExited)
            {
                return status;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(100), limit.Token);
        }
    }

    public async Task<(int ExitCode, string Output, string Error)> ExecAsync(string container, params string[] command)
    {
        ExecSyncResponse response = await _cri.Client.ExecSyncAsync(
            new ExecSyncRequest { ContainerId = container, Cmd = { command }, Timeout = (long)RuntimeFixture.Limit.TotalSeconds },
            deadline: Deadline);
        return (response.ExitCode, response.Stdout.ToStringUtf8().TrimEnd('\n'), response.Stderr.ToStringUtf8().TrimEnd('\n'));
    }

    /// <summary>The output of a shell's script in the container, which must succeed.</summary>
    public async Task<string> ShellAsync(string container, string script)
    {
        (int code, string output, string error) = await ExecAsync(container, "sh", "-c", script);
        Assert.True(code == 0, $"'{script}' ended with {code}: {error}");
        return output;
    }

    public async Task StopContainerAsync(string container, long grace) =>
        await _cri.Client.StopContainerAsync(new StopContainerRequest { ContainerId = container, Timeout = grace }, deadline: Deadline);

    public async Task RemoveContainerAsync(string container) =>
        await _cri.Client.RemoveContainerAsync(new RemoveContainerRequest { ContainerId = container }, deadline: Deadline);

    /// <summary>Waits until the log of a stream is so: the CRI service may write its end a moment after it has told of the exit.</summary>
    public async Task LogBecomesAsync(string name, string expected, string stream = "stdout")
    {
        using var limit = new CancellationTokenSource(s_limit);
        string log;
        while ((log = await LogAsync(name, stream)).Length < expected.Length)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(100), limit.Token);
        }

        Assert.Equal(expected, log);
    }

    public string LogFile(string name) => Path.Combine(_config.LogDirectory, name + ".log");

    /// <summary>What a container has written to a stream, from the log that the CRI service keeps.</summary>
    public async Task<string> LogAsync(string name, string stream = "stdout")
    {
        var text = new StringBuilder();
        foreach (string line in await File.ReadAllLinesAsync(LogFile(name)))
        {
            string[] fields = line.Split(' ', 4); // time, stream, F for a full line or P for a part, text
            if (fields[1] == stream)
            {
                text.Append(fields[3]).Append(fields[2] == "F" ? "\n" : "");
            }
        }

        return text.ToString();
    }

    /// <summary>Removes it, and asserts that nothing of this or any other pod of ours is left.</summary>
    public async Task EndAsync()
    {
        await RemoveAsync();
        await _cri.AssertCleanAsync();
    }

    /// <summary>Stops and removes it; again where the network plugin failed, as a kubelet does.</summary>
    public async Task RemoveAsync()
    {
        for (int attempt = 1; ; attempt++)
        {
            try
            {
                await _cri.Client.StopPodSandboxAsync(new StopPodSandboxRequest { PodSandboxId = Id }, deadline: Deadline);
                break;
            }
            catch (RpcException error)
                when (attempt < 5 && error.Status.Detail.Contains("failed to destroy network", StringComparison.Ordinal))
            {
                TestContext.Current.TestOutputHelper?.WriteLine(error.Status.Detail);
            }
        }

        await _cri.Client.RemovePodSandboxAsync(new RemovePodSandboxRequest { PodSandboxId = Id }, deadline: Deadline);
    }
}
