using Grpc.Core;
using Kata.Agent.Protocol.Extension;
using Kata.Agent.Protocol.Oci;
using Kata.Agent.Specifications;
using Kata.Oci;
using Spec = Kata.Agent.Protocol.Oci.Spec;

namespace Kata.Fuzz.Targets;

/// <summary>The specification as the agent writes it for crun is an OCI document, with what the host sent in it.</summary>
internal static class AgentSpecs
{
    public static void Write(byte[] input)
    {
        try
        {
            Check(Spec.Parser.ParseFrom(input), null);
        }
        catch (RpcException refusal) when (refusal.StatusCode == StatusCode.InvalidArgument)
        {
            // what the host hears of a bad specification
        }
    }

    public static void Check(Spec spec, ContainerExtension? extension)
    {
        byte[] json = SpecJson.Write(
            spec,
            new SpecContext
            {
                CgroupPath = "/kata/c",
                SharedNamespaces = new Dictionary<string, string> { ["ipc"] = "/run/ipc" },
                Extension = extension,
            });
        RuntimeSpec read;
        try
        {
            read = OciJson.ParseSpec(json);
        }
        catch (InvalidSpecException refusal)
        {
            throw new Finding($"what the agent writes is refused: {refusal.Message}");
        }

        Process process = spec.Process ?? new Process();
        Finding.Unless(process.Args.SequenceEqual(read.Process!.Args ?? []), "the arguments are others");
        Finding.Unless(process.Env.SequenceEqual(read.Process.Env ?? []), "the environment is another");
        Finding.Unless(
            spec.Mounts.Select(static mount => mount.Destination)
                .SequenceEqual((read.Mounts ?? []).Select(static mount => mount.Destination)),
            "the mounts are others");
        Finding.Unless(
            (spec.Root?.Readonly ?? false) == (read.Root!.Readonly ?? false),
            "the root file system is written to, or not, as it should not be");
    }
}
