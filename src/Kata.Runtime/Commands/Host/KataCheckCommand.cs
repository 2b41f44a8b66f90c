using System.CommandLine;
using System.Globalization;
using Kata.Configuration;
using Kata.Hypervisor;
using Kata.Oci;
using Kata.Runtime.Hosting;
using Kata.Sandbox;
using Kata.Service;

namespace Kata.Runtime.Commands;

/// <summary><c>kata-check</c>: whether containers can run here, proved by a guest that really boots. Nothing is fetched.</summary>
internal static class KataCheckCommand
{
    // Making and taking back what is around the machine; a busy host needs a few of them.
    private static readonly TimeSpan s_around = TimeSpan.FromSeconds(30);

    public static Command Define(GlobalOptions globals)
    {
        var noBoot = new Option<bool>("--no-boot") { Description = "Look at files and devices only, without booting a guest" };
        var command = new Command(
            "kata-check", "Tell whether this host can run containers, by booting a small guest, and what to do if not")
        {
            noBoot,
        };
        command.Aliases.Add("check");
        var strict = new Option<bool>("--strict", "-s")
        {
            Description = "Let warnings count as failures, and the guest's agent be of this version",
        };
        var verbose = new Option<bool>("--verbose", "-v") { Description = "Say of each thing that is looked at what was found" };
        command.Options.Add(strict);
        command.Options.Add(verbose);
        ReleaseOptions releases = ReleaseOptions.AddTo(command);
        command.SetAction(async (result, _) =>
        {
            using CommandLog log = CommandLog.Begin(globals, result);
            releases.Check(result);
            try
            {
                await CheckAsync(globals, result, !result.GetValue(noBoot), result.GetValue(strict), result.GetValue(verbose));
                return ExitCodes.Success;
            }
            catch
            {
                await Console.Out.WriteLineAsync("ERROR: System is not capable of running Kata Containers");
                throw;
            }
        });
        return command;
    }

    private static async Task CheckAsync(GlobalOptions globals, ParseResult result, bool boot, bool strict, bool verbose)
    {
        KataConfiguration configuration = KataConfiguration.Load(globals.Sources(result));
        AcceleratorChoice host = Drivers.Probe(configuration);
        SandboxId sandbox = HostReadiness.TestPod;
        SandboxPlan plan = HostReadiness.Plan(configuration, host, globals.Directories(result));
        if (verbose)
        {
            await DescribeAsync(configuration, plan);
        }

        SandboxFiles.Check(plan);
        HostReadiness.RequireRoot();
        foreach (string warning in plan.Warnings)
        {
            if (strict)
            {
                throw new NotSupportedException($"Cannot accept a warning with '--strict': {warning}");
            }

            await Console.Error.WriteLineAsync($"kata-runtime: warning: {warning}");
        }

        if (boot)
        {
            List<string> arguments =
                [.. ServiceArguments.Of(globals, result, globals.Directories(result), sandbox), .. strict ? new[] { "--strict" } : []];
            string said = await BootAsync(globals.Directories(result), sandbox, arguments, configuration.Limits);
            await Console.Out.WriteLineAsync($"  {said}");
        }

        await Console.Out.WriteLineAsync($"  {char.ToUpperInvariant(host.Reason[0])}{host.Reason[1..]}");
        await Console.Out.WriteLineAsync("System is capable of running Kata Containers");
        if (boot)
        {
            await Console.Out.WriteLineAsync("System can currently create Kata Containers");
            if (strict)
            {
                await Console.Out.WriteLineAsync(
                    $"Version consistency of Kata Containers is verified: runtime and agent are {RuntimeVersion.Number}");
            }
        }
    }

    private static async Task DescribeAsync(KataConfiguration configuration, SandboxPlan plan)
    {
        await Console.Out.WriteLineAsync($"  Configuration: {configuration.Path ?? "built in"}");
        await Console.Out.WriteLineAsync($"  Hypervisor: {plan.Machine.HypervisorPath}");
        await Console.Out.WriteLineAsync($"  Shared file system daemon: {plan.VirtioFsDaemonPath}");
        await Console.Out.WriteLineAsync($"  Guest kernel: {plan.Machine.KernelPath}");
        await Console.Out.WriteLineAsync($"  Guest image: {plan.Machine.InitrdPath ?? "none"}");
        await Console.Out.WriteLineAsync(string.Create(
            CultureInfo.InvariantCulture,
            $"  Machine: {plan.Machine.MachineType}, {plan.Machine.VcpuCount} processors, "
            + $"{plan.Machine.MemoryMib} MiB"));
    }

    private static async Task<string> BootAsync(
        SandboxDirectories directories, SandboxId sandbox, List<string> arguments, LimitsConfig limits)
    {
        using PodBeginning beginning = await PodBeginning.MakeAsync(directories, sandbox, static () => true);
        try
        {
            return await beginning.CheckBootAsync(arguments, limits.BootTimeout + limits.RequestTimeout + limits.StopTimeout + s_around);
        }
        catch
        {
            await beginning.UndoAsync();
            throw;
        }
    }
}
