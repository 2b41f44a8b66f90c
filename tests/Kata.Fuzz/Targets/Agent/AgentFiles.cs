using System.Text;
using Grpc.Core;
using Kata.Agent.Boot;
using Kata.Agent.Cgroups;
using Kata.Agent.Containers;
using Kata.Agent.Devices;
using Kata.Agent.Processes;
using Kata.Agent.Protocol;
using Kata.Linux;

namespace Kata.Fuzz.Targets;

/// <summary>Texts that the agent reads: the kernel's, crun's, a container's own files. What is not as expected is left out.</summary>
internal static class AgentFiles
{
    public static IFuzzTarget Create(string name) => new ChoiceTarget(
        name,
        static input => _ = CgroupParser.ParseFlat(Text(input)),
        static input => _ = CgroupParser.ParseIo(Text(input)),
        static input => _ = CgroupParser.ParseInterfaces(Text(input)).Count(),
        static input => _ = Uevent.Names(input, "virtio-ports"u8),
        static input => _ = KernelCommandLine.Parse(Text(input))["log"],
        TranslateError,
        ResolveUser,
        ParseProcess,
        ParseId);

    private static string Text(byte[] input) => Encoding.UTF8.GetString(input);

    // Separated by NUL, as many as are asked for.
    private static string[] Parts(byte[] input, int count)
    {
        string[] parts = Text(input).Split('\0', count);
        return [.. parts, .. Enumerable.Repeat("", count - parts.Length)];
    }

    private static void TranslateError(byte[] input)
    {
        const int AllowedChars = 8 * 1024;
        RpcException error = CrunErrors.Translate(Text(input), new ExitStatus(1, null), "sh", "start the process 'x'");
        Finding.Unless(error.Status.Detail.Length <= AllowedChars, "an error text has no bound");
        _ = CrunErrors.Shortage(error, "100", "99", "start the process 'x'");
    }

    private static void ResolveUser(byte[] input)
    {
        string[] parts = Parts(input, 5);
        var database = new UserDatabase(parts[3], parts[4]);
        _ = database.HomeOf(1000);
        try
        {
            _ = database.Resolve(new StringUser
            {
                Uid = parts[0],
                Gid = parts[1],
                AdditionalGids = { parts[2].Split(',', StringSplitOptions.RemoveEmptyEntries) },
            });
        }
        catch (RpcException refusal) when (refusal.StatusCode == StatusCode.InvalidArgument)
        {
            // a name that is nowhere
        }
    }

    private static void ParseProcess(byte[] input)
    {
        string[] parts = Parts(input, 3);
        _ = ProcFiles.Parse(7, parts[0], parts[1], Encoding.UTF8.GetBytes(parts[2]), level: 1);
        _ = ProcFiles.TotalMemoryBytes(parts[1]);
    }

    private static void ParseId(byte[] input)
    {
        try
        {
            string id = ContainerId.Parse(Text(input)).Value;
            Finding.Unless(Path.GetFileName(id) == id && id is not ("." or ".."), "an id is no name of a file");
        }
        catch (RpcException refusal) when (refusal.StatusCode == StatusCode.InvalidArgument)
        {
            // no id
        }
    }
}
