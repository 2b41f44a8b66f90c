namespace Kata.Bench.Networks;

/// <summary>
/// How fast a pod is on a network, against a runc pod on the same bridge and the same guest on a bare tap; what it takes to give it one
/// more interface; and how much later it is ready with a card than without. All of it is in network namespaces of this run.
/// </summary>
internal static class Network
{
    private const string Runc = "/usr/sbin/runc";

    public static void Measure(Workspace workspace, int runs, SortedDictionary<string, double> results)
    {
        if (!NetworkBundle.CanBeMade)
        {
            Console.Error.WriteLine("bench: networks are not measured: /usr/bin/iperf3 or /usr/bin/perl is missing");
            return;
        }

        using var bridge = new BenchBridge(workspace);
        var bundle = new NetworkBundle(workspace);
        string kataAddress = bridge.AddPod(Station.Kata);
        string runcAddress = bridge.AddPod(Station.Runc);

        NetworkReadiness.Measure(workspace, bridge, bundle, runs, results);

        string kata = workspace.NewId(), runc = workspace.NewId();
        try
        {
            Start(workspace, bundle, bridge.PathOf(Station.Kata), workspace.Runtime, workspace.Kata("run", "--detach"), kata);
            Start(workspace, bundle, bridge.PathOf(Station.Runc), Runc, workspace.Runc("run", "--detach"), runc);
            int machine = workspace.MachinePid(kata);
            using (var bare = new BareNetworkGuest(workspace, bridge, bundle, machine))
            {
                Traffic.Measure(
                    bridge,
                    [
                        new(Station.Kata, kataAddress, machine),
                        new(Station.Bare, bare.Address, bare.Pid),
                        new(Station.Runc, runcAddress, null),
                    ],
                    runs,
                    results);
            }

            Attachment.Measure(workspace, bridge, kata, results);
        }
        finally
        {
            workspace.Capture(workspace.Runtime, workspace.Kata("delete", "--force", kata));
            workspace.Capture(Runc, workspace.Runc("delete", "--force", runc));
        }
    }

    private static void Start(Workspace workspace, NetworkBundle bundle, string space, string runtime, string[] run, string id)
    {
        bundle.Write(space, NetworkBundle.Serve);
        workspace.StartDetached(runtime, [.. run, "--bundle", bundle.Folder, id]);
    }
}
