using Kata.Configuration;
using Kata.Linux;
using Kata.Linux.Interop;
using Kata.Oci;
using Kata.Sandbox;
using Kata.Service;

namespace Kata.Runtime.Hosting;

/// <summary>The pool, as one command looks for the machine of one pod there.</summary>
internal sealed class WarmMachines
{
    private readonly WarmPool _pool;
    private readonly string _key;

    private WarmMachines(WarmPool pool, string key) => (_pool, _key) = (pool, key);

    /// <summary>Null where the configuration has no pool.</summary>
    /// <param name="configuration">The pod's.</param>
    /// <param name="plan">The pod's.</param>
    public static WarmMachines? Of(KataConfiguration configuration, SandboxPlan plan) => configuration.Factory.CacheNumber == 0
        ? null
        : new WarmMachines(
            new WarmPool(new SandboxDirectories(configuration.Factory.CacheDirectory), configuration.Factory.CacheEndpoint),
            MachineKey.Of(plan, FileStamp.Of));

    /// <summary>Adds what of this process a service would have that it starts.</summary>
    public static ClaimRequest Complete(ClaimRequest request)
    {
        uint umask = LibC.umask(0);
        _ = LibC.umask(umask);
        return request with
        {
            Umask = umask,
            OomScore = OomScore.Read(Environment.ProcessId),
            Limits = ResourceLimits.Format(ResourceLimits.Read()),
            Variables = CallerEnvironment.Read(),
        };
    }

    /// <inheritdoc cref="PodBeginning.ClaimAsync"/>
    public Task<PodBeginning?> TryClaimAsync(
        SandboxDirectories directories, SandboxId sandbox, ClaimRequest request, Func<bool> isClaimed) =>
        PodBeginning.ClaimAsync(directories, sandbox, _pool, _key, request, isClaimed);
}
