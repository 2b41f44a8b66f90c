using System.Net;
using Kata.Testing;

namespace Kata.Netlink.Tests;

/// <summary>The sample of the package's README compiles (ReadmeSample.cs), works, and is what the README shows.</summary>
public sealed class ReadmeTests
{
    [Fact]
    public async Task Sample_Run_ConnectsAndTellsOfTheLoss()
    {
        using TestNetwork host = TestNetwork.Create();
        using TestNetwork container = TestNetwork.Create();
        Sample.Connect(host.Socket, container.Socket, container.Handle);
        Route route = container.Socket.Routes.List(IPFamily.IPv4, RouteTables.Main).Single(static route => route.Gateway is not null);
        Assert.Equal((IPPrefix.AnyIPv4, IPAddress.Parse("10.0.0.1")), (route.Destination, route.Gateway));

        using RouteMonitor monitor = host.Inside(static () => new RouteMonitor(RouteGroups.Links));
        Task<Link> loss = Sample.WaitForLossAsync(monitor, host.Socket, TestContext.Current.CancellationToken);
        container.Socket.Links.SetDown(container.Socket.Links.Get("eth0").Index);
        Assert.Equal("container0", (await loss.Within()).Name);
    }

    [Fact]
    public void Sample_InTheReadme_IsTheOneThatCompiles()
    {
        string readme = File.ReadAllText(Path.Combine(Repository.Root, "src", "Kata.Netlink", "README.md"));
        string sample = File.ReadAllText(Path.Combine(Repository.Root, "tests", "Kata.Netlink.Tests", "ReadmeSample.cs"));
        Assert.Contains(sample[sample.IndexOf("internal", StringComparison.Ordinal)..], readme);
    }
}
