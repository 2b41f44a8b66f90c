using Kata.Integration.Tests.Harness;
using Kata.Linux;
using Kata.TtRpc;
using TaskClient = Kata.Containerd.Protocol.TaskV2.Task.TaskClient;

namespace Kata.Integration.Tests.CriO;

/// <summary>
/// CRI-O's <c>runtime_type = "vm"</c>: what its internal/oci/runtime_vm.go asks of a shim. It starts one for each container and keeps every
/// connection for as long as it lives itself; so does this fixture.
/// </summary>
public sealed class CriOShimFixture : RuntimeFixture
{
    private readonly List<CriOPod> _pods = [];
    private readonly List<TtRpcClient> _connections = [];

    private string Namespace { get; } = $"crio{Environment.ProcessId}"; // CRI-O's own is "default"

    internal override string Root => $"/run/kata/@{Namespace}";

    internal string Shim => Path.Combine(DirectoryPath, "containerd-shim-kata-v2");

    /// <summary>What a shim that published events would call: CRI-O names its own executable.</summary>
    internal string Published => Path.Combine(DirectoryPath, "published");

    internal async Task<CriOPod> MakePodAsync()
    {
        CriOPod pod = await CriOPod.MakeAsync(this);
        _pods.Add(pod);
        return pod;
    }

    /// <summary>Starts the shim of a container and connects to it.</summary>
    internal async Task<TaskClient> ConnectAsync(string id, string bundle)
    {
        string publisher = Path.Combine(DirectoryPath, "crio");
        CommandResult start = (await ShimAsync(
            bundle, "-namespace", Namespace, "-address", "", "-publish-binary", publisher, "-id", id, "start")).Ok();
        Assert.Equal("", start.Error); // CRI-O takes both streams together for the address
        Assert.Equal(start.Text, await File.ReadAllTextAsync(Path.Combine(bundle, "address"))); // and this after a restart
        var connection = new TtRpcClient(new DescriptorStream(UnixSocket.Connect(start.Text["unix://".Length..])));
        _connections.Add(connection);
        return new TaskClient(connection.CallInvoker);
    }

    /// <summary>Calls the shim as containerd's library does for CRI-O.</summary>
    internal async Task<CommandResult> ShimAsync(string bundle, params string[] arguments)
    {
        using RunningCommand command = RunningCommand.Start("/usr/bin/env",
        [
            "-C", bundle, "TTRPC_ADDRESS=", "GRPC_ADDRESS=", $"NAMESPACE={Namespace}", "GOMAXPROCS=2",
            $"KATA_CONF_FILE={ConfigurationFile}", Shim, .. arguments,
        ]);
        return await command.FinishAsync(default, Limit);
    }

    private protected override async Task PrepareAsync()
    {
        File.CreateSymbolicLink(Shim, RuntimePath!);
        await File.WriteAllTextAsync(Path.Combine(DirectoryPath, "crio"), $"#!/bin/sh\necho \"$@\" >> '{Published}'\n");
        File.SetUnixFileMode(Path.Combine(DirectoryPath, "crio"), (UnixFileMode)0x1ed /* 0755 */);
    }

    private protected override async Task CleanUpAsync()
    {
        foreach (TtRpcClient connection in _connections)
        {
            await connection.DisposeAsync();
        }

        foreach (CriOPod pod in _pods)
        {
            await pod.ReleaseAsync();
        }

        DirectoryTree.Remove(Root); // it has gone with the last pod, unless a test failed
    }
}
