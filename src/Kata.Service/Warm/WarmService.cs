using Kata.Configuration;
using Kata.Linux;
using Kata.Oci;
using Kata.Sandbox;
using Microsoft.Extensions.Logging;

namespace Kata.Service;

/// <summary>
/// The body of a process of the pool: a pod's service whose machine has booted and that has no pod yet. A command that wants one claims it;
/// from then on it is that pod's service and knows of no pool.
/// </summary>
internal static class WarmService
{
    /// <summary>What the one who keeps the pool is told when the process is a pod's.</summary>
    public const string Claimed = "claimed";

    /// <param name="options">The pool's root, and the name of this one in it.</param>
    /// <param name="log">Where records go until then.</param>
    /// <param name="ready">Gets one line as soon as it can be claimed.</param>
    /// <param name="keeper">A socket to whoever keeps the pool. When that ends, so does a process that nobody has claimed.</param>
    /// <param name="cancellationToken">Calls the boot off.</param>
    public static async Task RunAsync(
        ServiceOptions options, ILogger log, Stream ready, DescriptorStream keeper, CancellationToken cancellationToken)
    {
        var late = new LateLog(log);
        using var host = new SandboxHost(new SandboxHostOptions
        {
            Root = options.Root,
            Sandbox = options.Sandbox,
            Hypervisors = Drivers.Catalog,
            Log = late,
        });
        options.PodLock?.Dispose(); // recorded: from now on a remover finds us in the journal
        WarmClaim? claim = null;
        try
        {
            Task gone = EndOfAsync(keeper);
            // Ends early on: our caller (cancellationToken), or the end of whoever keeps the pool.
            using var unwanted = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            Task<WarmMachine> warming = WarmAsync(host, options, unwanted.Token);
            if (await Task.WhenAny(warming, gone) == gone)
            {
                await unwanted.CancelAsync();
            }

            WarmMachine machine = await warming;
            using var door = new ClaimDoor(host.Directories.ClaimSocket(options.Sandbox), error => late.Shortage(error.Message));
            await ready.WriteAsync("ready\n"u8.ToArray(), cancellationToken);
            await ready.DisposeAsync();
            claim = await door.WaitAsync(Task.WhenAny(gone, machine.Ended), cancellationToken);
        }
        finally
        {
            if (claim is null)
            {
                await host.EndAsync(static () => Task.CompletedTask);
            }
        }

        if (claim is not null)
        {
            await using (claim)
            {
                await ServeAsync(claim, host, late, keeper);
            }
        }
    }

    /// <summary>Plans a machine as the pool has them: that of a pod whose containers ask for nothing.</summary>
    /// <exception cref="ConfigurationException">The configuration asks for what this version has no driver for.</exception>
    public static SandboxPlan Plan(SandboxId id, KataConfiguration configuration, SandboxDirectories directories) =>
        SandboxPlanner.Plan(
            id, configuration, Drivers.Probe(configuration), new RuntimeSpec { OciVersion = SupportedFeatures.OciVersionMax },
            directories.Cgroup(id));

    private static Task<WarmMachine> WarmAsync(SandboxHost host, ServiceOptions options, CancellationToken cancellationToken)
    {
        SandboxPlan plan = Plan(options.Sandbox, KataConfiguration.Load(options.Configuration), host.Directories);
        return host.WarmAsync(plan, MachineKey.Of(plan, FileStamp.Of), cancellationToken);
    }

    private static async Task ServeAsync(WarmClaim claim, SandboxHost host, LateLog late, DescriptorStream keeper)
    {
        ClaimRequest request = claim.Request;
        RecordLog log;
        PodHost pod;
        ServiceOptions options = claim.Options;
        try
        {
            log = RecordLog.Open(
                request.Log, request.LogFormat, request.Debug ? LogLevel.Debug : LogLevel.Information, TimeProvider.System,
                "service", request.Sandbox, null, fileLevel: RecordLog.FileLevelOf(request.LogFormat, request.Debug));
            late.TurnTo(log);
            pod = new PodHost(options, log, host);
        }
        catch (Exception error) // a border: whoever asks is told, and this one is nobody's
        {
            await claim.TryRefuseAsync(ServiceStatus.TextOf(error));
            await host.EndAsync(static () => Task.CompletedTask);
            throw;
        }

        await using (pod)
        {
            await TellAsync(keeper);
            pod.TakeScore(request.OomScore);
            await ServiceProcess.ServeAsync(pod, options, claim.AcceptAsync);
        }

        log.Dispose();
    }

    private static async Task TellAsync(DescriptorStream keeper)
    {
        try
        {
            await keeper.WriteAsync(System.Text.Encoding.ASCII.GetBytes(Claimed + "\n"));
        }
        catch (Exception error) when (error is IOException or LinuxException)
        {
            // It has gone meanwhile, and has nobody to replace.
        }
    }

    // Nothing is ever sent there.
    private static async Task EndOfAsync(DescriptorStream keeper)
    {
        try
        {
            while (await keeper.ReadAsync(new byte[1]) > 0)
            {
            }
        }
        catch (Exception error) when (error is IOException or LinuxException or ObjectDisposedException)
        {
            // It is gone as well.
        }
    }
}
