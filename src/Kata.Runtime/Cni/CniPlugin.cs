using Kata.Configuration;
using Kata.Network;
using Kata.Oci;
using Kata.Runtime.Hosting;
using Kata.Sandbox;
using Kata.Sandbox.Protocol.V1;

namespace Kata.Runtime.Cni;

/// <summary>
/// The plugin's work. A pod's service follows its network namespace by itself: a chain's end only waits for it, and says what a guest
/// cannot have. It makes nothing, neither in the namespace nor elsewhere, and so has nothing to undo, to delete or to collect.
/// </summary>
internal sealed class CniPlugin(CniRequest request, CniConfiguration configuration)
{
    /// <summary>Does it.</summary>
    /// <returns>What is printed; empty for nothing.</returns>
    /// <exception cref="CniException">It failed. Others may come, too.</exception>
    public async Task<string> RunAsync()
    {
        switch (request.Command)
        {
            case CniCommand.Add:
                CniResult result = configuration.ReadPrevious();
                await CompareAsync(result);
                return result.Write(configuration.Version);
            case CniCommand.Check:
                await CompareAsync(configuration.ReadPrevious());
                return "";
            case CniCommand.Status:
                CheckHost();
                return "";
            default: // the plugins that made the interface remove it, and the guest follows
                return "";
        }
    }

    // With the namespace, and where a pod has that, with its guest, once it has what the namespace has: else it might be about to.
    private async Task CompareAsync(CniResult result)
    {
        IReadOnlyList<ExpectedInterface> expected = result.In(request.NamespacePath);
        using NetworkNamespace space = Open();
        HostNetwork network = HostNetwork.Read(space);
        InterfaceCheck.RequireThere(expected, network, request.NamespacePath);
        HashSet<string> cards =
            [.. NetworkPlanner.Plan(network, out IReadOnlyList<string> refused, ModelOfPods()).Select(static plan => plan.Name)];
        if (NetworkPod.Find(configuration.Root, NamespaceState.Of(space)) is not { } pod)
        {
            _ = InterfaceCheck.Carried(expected, cards, refused);
            return;
        }

        var id = ContainerId.Parse(pod.Id.Value);
        await using PodClient client = new ContainerLookup(pod.Directories).Connect(pod.Id, "follow the network of");
        FollowNetworkResponse guest = await new NetworkClient(client, id).FollowAsync();
        string? difference = InterfaceCheck.Carried(expected, cards, guest.Refusals)
            .Select(item => item.DifferenceFrom(guest.Interfaces)).FirstOrDefault(static text => text is not null);
        if (difference is not null)
        {
            throw new CniException(
                CniErrorCode.GuestDiffers,
                $"Cannot confirm the network of the pod '{id}': {difference}",
                $"See 'kata-runtime --root {pod.Directories.Root} network list-ifaces {id}', and take back what has changed it");
        }
    }

    private NetworkNamespace Open()
    {
        try
        {
            NetworkNamespace space = NetworkNamespace.Open(request.NamespacePath, mountNamespace: null);
            if (!space.IsOurs)
            {
                return space;
            }

            space.Dispose();
        }
        catch (NetworkException error)
        {
            throw CniException.Of(CniErrorCode.InvalidEnvironment, error, "CNI_NETNS is to be the path of the pod's network namespace");
        }

        throw new CniException(
            CniErrorCode.InvalidEnvironment,
            $"Cannot use {SpecText.Quote(request.NamespacePath)}: CNI_NETNS is the host's network, which no guest can be in",
            "Give the pod a network namespace of its own");
    }

    // Whatever is wrong with it, STATUS says. An annotation may have a pod have another one: the pod's own answer counts.
    private EndpointModel ModelOfPods()
    {
        try
        {
            return SandboxPlanner.ModelOf(LoadOfPods());
        }
        catch (Exception error) when (error is ConfigurationException or IOException or UnauthorizedAccessException)
        {
            Console.Error.WriteLine($"{CniProgram.Name}: {ExitCodes.TextOf(error)}");
            return EndpointModel.TcFilter;
        }
    }

    private KataConfiguration LoadOfPods() => KataConfiguration.Load(ConfigurationSources.ForHost(configuration.ConfigurationFile));

    private void CheckHost()
    {
        try
        {
            HostReadiness.Check(LoadOfPods(), new SandboxDirectories(configuration.Root));
        }
        catch (Exception error) // whatever it is, pods do not start here
        {
            throw CniException.Of(CniErrorCode.NotAvailable, error);
        }
    }
}
