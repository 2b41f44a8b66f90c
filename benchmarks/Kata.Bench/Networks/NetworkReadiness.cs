namespace Kata.Bench.Networks;

/// <summary>How long is a start until the pod is ready, with one interface in its network namespace and with no such namespace.</summary>
internal static class NetworkReadiness
{
    private const string Card = "one_card";
    private const string None = "none";

    public static void Measure(
        Workspace workspace, BenchBridge bridge, NetworkBundle bundle, int runs, SortedDictionary<string, double> results)
    {
        var ready = new Turns();
        for (int i = -1; i < runs * 2; i++) // the first of each fills the page cache
        {
            foreach ((string subject, string? space) in new[] { (None, null), (Card, bridge.PathOf(Station.Kata)) })
            {
                bundle.Write(space, "/bin/true");
                DateTime started = DateTime.UtcNow;
                workspace.Time(workspace.Runtime, workspace.Kata("run", "--bundle", bundle.Folder, workspace.NewId()));
                if (i >= 0)
                {
                    ready.Add(subject, (StartUp.ReadyAt(workspace.Log) - started).TotalSeconds);
                }
            }
        }

        results["network.ready.one_card_s"] = ready.Of(Card);
        results["network.ready.none_s"] = ready.Of(None);
        results["network.ready.one_card_per_none"] = ready.Ratio(Card, None);
    }
}
