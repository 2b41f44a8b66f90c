using System.Diagnostics;
using System.Globalization;
using Kata.Oci;
using Kata.Sandbox;
using Microsoft.Extensions.Logging;

namespace Kata.Service;

/// <summary>
/// The body of the process that proves, by doing it, that this host can run a pod: boots one without a container and takes it back.
/// </summary>
internal static class BootCheck
{
    /// <param name="options">The pod, which bears a name of its own and no container.</param>
    /// <param name="strict">The guest's agent must be of our own version, not only understand us.</param>
    /// <param name="log">Where records go.</param>
    /// <param name="cancellationToken">Calls the boot off.</param>
    /// <returns>What came up, as one sentence.</returns>
    /// <exception cref="NotSupportedException">Strictly seen the guest is another release's.</exception>
    public static async Task<string> RunAsync(ServiceOptions options, bool strict, ILogger log, CancellationToken cancellationToken)
    {
        await using var host = new PodHost(options, log);
        options.PodLock?.Dispose(); // recorded: from now on a remover finds us in the journal
        try
        {
            long start = Stopwatch.GetTimestamp();
            await using PodSandbox pod = await host.BootAsync(
                host.Plan(new RuntimeSpec { OciVersion = SupportedFeatures.OciVersionMax }, null), cancellationToken);
            string guest = pod.Agent.Hello is { } hello
                ? $"kernel {GuestText.Escape(hello.KernelRelease)}, agent {GuestText.Escape(hello.AgentVersion)}"
                : "an agent of another make answers";
            if (strict && pod.Agent.Hello?.AgentVersion != RuntimeVersion.Number)
            {
                throw new NotSupportedException(
                    $"Cannot accept the guest '{pod.Plan.Machine.InitrdPath}' with '--strict': {guest}, "
                        + $"and this runtime is {RuntimeVersion.Number}. Use the guest image of the runtime's release");
            }

            return string.Create(
                CultureInfo.InvariantCulture, $"A guest booted in {Stopwatch.GetElapsedTime(start).TotalSeconds:0.0} s: {guest}");
        }
        finally
        {
            await host.EndAsync();
        }
    }
}
