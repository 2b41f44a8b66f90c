using System.Text.Json.Nodes;

namespace Kata.Bench.Networks;

/// <summary>
/// A bundle like the workspace's, whose root file system has two servers, too: iperf3, and one that takes connections and closes them, in
/// perl, which any Debian has. That one starts nothing for a connection: a fork would be most of what is measured.
/// </summary>
internal sealed class NetworkBundle
{
    /// <summary>The port where connections are taken and closed.</summary>
    public const int ConnectPort = 7;

    private const string Iperf = "/usr/bin/iperf3";
    private const string Perl = "/usr/bin/perl";
    private const string Script = "/serve";

    public NetworkBundle(Workspace workspace)
    {
        Folder = Path.Combine(workspace.Folder, "network");
        Directory.CreateDirectory(Folder);
        workspace.Time("/bin/sh", ["-c", $"cp -a '{workspace.Folder}/rootfs' '{Folder}/rootfs'"]);
        foreach (string program in new[] { Iperf, Perl })
        {
            workspace.Time("/bin/sh", ["-c", $"cp -L --parents {program} $(ldd {program} | grep -o '/[^ ]*') '{RootFileSystem}'"]);
        }

        // AF_INET, SOCK_STREAM and a sockaddr_in: its modules are not there.
        File.WriteAllText(RootFileSystem + Script, $$"""
            {{Perl}} -e '
              socket(S, 2, 1, 0) && bind(S, pack("S n x12", 2, {{ConnectPort}})) && listen(S, 128) or die "$!\n";
              while (accept(C, S)) { close C }' &
            exec {{Iperf}} --server > /dev/null

            """);
        File.Copy(Path.Combine(workspace.Folder, "config.json"), Path.Combine(Folder, "config.json"));
    }

    /// <summary>Runs both servers until it is killed, iperf3 on its own port.</summary>
    public static string[] Serve => ["/bin/sh", Script];

    public static bool CanBeMade => File.Exists(Iperf) && File.Exists(Perl);

    public string Folder { get; }

    public string RootFileSystem => Path.Combine(Folder, "rootfs");

    /// <summary>Writes its config.json: a program without a terminal, in a network namespace, or in a new one where that is null.</summary>
    public void Write(string? network, params string[] program)
    {
        string path = Path.Combine(Folder, "config.json");
        JsonNode spec = JsonNode.Parse(File.ReadAllText(path))!;
        spec["process"]!["terminal"] = false;
        spec["process"]!["args"] = new JsonArray([.. program.Select(static word => (JsonNode)word)]);
        spec["root"]!["readonly"] = false;
        JsonObject space = spec["linux"]!["namespaces"]!.AsArray().First(static space => (string?)space!["type"] == "network")!.AsObject();
        space.Remove("path");
        if (network is not null)
        {
            space["path"] = network;
        }

        File.WriteAllText(path, spec.ToJsonString());
    }
}
