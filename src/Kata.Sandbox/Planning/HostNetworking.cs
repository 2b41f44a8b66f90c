using Kata.Network;
using Kata.Oci;

namespace Kata.Sandbox;

/// <summary>A pod in the host's network, as <c>--network host</c> and <c>hostNetwork</c> want it. Pure.</summary>
internal static class HostNetworking
{
    private const string Reason = "a guest has a kernel of its own, and no interface has two owners";

    private const string Remedy =
        "Leave out '--network host', 'hostNetwork' or the like, or run the pod without a machine. "
        + "With 'disable_new_netns = true' in [runtime] it is made all the same, with a loopback interface only";

    /// <summary>Refuses a pod whose first container has no network namespace, unless the configuration allows it.</summary>
    /// <returns>The plan.</returns>
    /// <exception cref="InvalidSpecException">It has none.</exception>
    public static SandboxPlan Check(SandboxPlan plan, RuntimeSpec spec) =>
        plan.AllowsHostNetwork || PodNamespaces.NetworkOf(spec) is not null ? plan
        : throw new InvalidSpecException("/linux/namespaces", $"without 'network' asks for the host's network: {Reason}", Remedy);

    /// <summary>Likewise for a pod that is made before its containers.</summary>
    /// <exception cref="SandboxStateException">It asks for the host's network.</exception>
    public static SandboxPlan Check(SandboxPlan plan, PodSettings settings) => plan.AllowsHostNetwork || !settings.IsInHostNetwork
        ? plan
        : throw SandboxStateException.Refused($"create the pod '{plan.Id}'", $"it asks for the host's network: {Reason}. {Remedy}");

    /// <summary>Likewise for one that names the host's by its file.</summary>
    /// <returns>What to log about a pod that is allowed.</returns>
    /// <exception cref="NetworkException">It is not allowed.</exception>
    public static string CheckNamed(SandboxPlan plan) => plan.AllowsHostNetwork
        ? $"The pod '{plan.Id}' asks for the host's network, which a guest cannot have: it has a loopback interface only"
        : throw new NetworkException($"Cannot use the network namespace '{plan.NetworkNamespace}': it is the host's: {Reason}. {Remedy}");
}
