using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Kata.Containerd.Protocol.TaskV2;
using Kata.Containerd.Protocol.Types;
using Kata.Linux;
using Kata.Oci;
using Kata.Runtime.Commands;
using Kata.Runtime.Hosting;
using Kata.Service;
using Task = System.Threading.Tasks.Task;

namespace Kata.Runtime.Shim;

/// <summary>
/// This executable as <c>containerd-shim-kata-v2</c>: what containerd runs for each container. <c>start</c> answers with the socket of
/// the pod's service, starting it for the first container; <c>delete</c> removes what a dead one left.
/// </summary>
internal static class ShimProgram
{
    public const string Name = "containerd-shim-kata-v2";

    /// <summary>containerd's name for the features document.</summary>
    private const string FeaturesType = "types.containerd.io/opencontainers/runtime-spec/1/features/Features";

    /// <summary>What containerd is told of a container whose shim died: killed.</summary>
    private const uint KilledStatus = 137;

    /// <summary>Whether this process was called as the shim.</summary>
    public static bool IsCalled(string? commandName) => Path.GetFileName(commandName) == Name;

    public static async Task<int> RunAsync(string[] arguments)
    {
        try
        {
            ShimOptions options = ShimOptions.Parse(arguments);
            switch (options)
            {
                case { Version: true }:
                    Console.WriteLine("Kata Containers containerd shim: id: \"io.containerd.kata.v2\", version: "
                        + $"{Kata.Sandbox.RuntimeVersion.Number}, commit: {Kata.Sandbox.RuntimeVersion.Commit}");
                    break;
                case { Info: true }:
                    WriteInfo();
                    break;
                case { Action: "features" }:
                    FeaturesCommand.Print(); // CRI-O asks every runtime for it when it starts
                    break;
                case { Action: "start" }:
                    Console.Write(await new ShimStart(Checked(options)).RunAsync());
                    break;
                case { Action: "delete" }:
                    await DeleteAsync(Checked(options));
                    break;
                default:
                    throw new ArgumentException(
                        $"Cannot serve a pod from here: containerd runs '{Name} start' in a bundle, which starts the service. "
                        + "Use 'ctr run --runtime io.containerd.kata.v2', or see 'kata-runtime --help'");
            }

            return ExitCodes.Success;
        }
        catch (Exception error) // a border: containerd shows what is on standard error
        {
            await Console.Error.WriteLineAsync($"{Name}: {ServiceStatus.TextOf(error)}");
            return ExitCodes.Failure;
        }
    }

    private static ShimOptions Checked(ShimOptions options)
    {
        foreach ((string flag, string value) in new[] { ("-id", options.Id), ("-namespace", options.Namespace) })
        {
            if (value.Length == 0)
            {
                throw new ArgumentException($"Cannot {options.Action} a container: the flag '{flag}' is missing. containerd gives it");
            }
        }

        return options;
    }

    // Whatever there is of the container goes, and of the pod when nothing else is in it; the bundle may be gone already.
    private static async Task DeleteAsync(ShimOptions options)
    {
        ContainerId id = ContainerId.Parse(options.Id);
        await new ContainerRemover(ShimPaths.Directories(options.Namespace)).RemoveAsync(id, force: true);
        var response = new DeleteResponse
        {
            ExitStatus = KilledStatus,
            ExitedAt = Timestamp.FromDateTimeOffset(TimeProvider.System.GetUtcNow()),
        };
        using var output = new StandardOutput(1);
        response.WriteTo(output);
    }

    private static void WriteInfo()
    {
        var info = new RuntimeInfo
        {
            Name = "io.containerd.kata.v2",
            Version = new Kata.Containerd.Protocol.Types.RuntimeVersion
            {
                Version = Kata.Sandbox.RuntimeVersion.Number,
                Revision = Kata.Sandbox.RuntimeVersion.Commit,
            },
            Features = new Any { TypeUrl = FeaturesType, Value = ByteString.CopyFrom(FeaturesCommand.Write()) },
        };
        using var output = new StandardOutput(1);
        info.WriteTo(output);
    }
}
