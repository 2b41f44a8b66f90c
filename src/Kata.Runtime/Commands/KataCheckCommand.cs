using System.CommandLine;
using System.Globalization;
using Kata.Configuration;
using Kata.Hypervisor;
using Kata.Linux.Interop;
using Kata.Oci;
using Kata.Runtime.Hosting;
using Kata.Sandbox;

namespace Kata.Runtime.Commands;

/// <summary><c>kata-check</c>: whether containers can run here, proved by a guest that really boots. Nothing is fetched.</summary>
internal static class KataCheckCommand
{
    // Making and taking back what is around the machine; a busy host needs a few of them.
    private static readonly TimeSpan s_around = TimeSpan.FromSeconds(30);

    public static Command Define(GlobalOptions globals)
    {
        var noBoot = new Option<bool>("--no-boot") { Description = "Look at files and devices only, without booting a guest" };
        var command = new Command("kata-check", "Tell whether this host can run containers, by booting a small guest, and what to do if not") { noBoot };
        command.Aliases.Add("check");
        // Kata's, for what is never done here, or always.
        command.Options.Add(new Option<bool>("--no-network-checks", "-n") { Description = "Accepted and ignored: the network is never asked" });
        command.Options.Add(new Option<bool>("--strict", "-s") { Description = "Accepted and ignored: there is one strictness" });
        command.Options.Add(new Option<bool>("--verbose") { Description = "Accepted and ignored: see kata-env and --debug" });
        command.SetAction(async (result, _) =>
        {
            using CommandLog log = CommandLog.Begin(globals, result);
            try
            {
                await CheckAsync(globals, result, boot: !result.GetValue(noBoot));
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

    private static async Task CheckAsync(GlobalOptions globals, ParseResult result, bool boot)
    {
        KataConfiguration configuration = KataConfiguration.Load(globals.Sources(result));
        AcceleratorChoice host = AcceleratorProbe.Decide(VirtualizationFacts.Read());
        SandboxId sandbox = SandboxId.Parse(string.Create(CultureInfo.InvariantCulture, $"kata-check-{Environment.ProcessId}"));
        SandboxFiles.Check(SandboxPlanner.Plan(sandbox, configuration, host, new RuntimeSpec { OciVersion = VersionCommand.OciVersion }, globals.Directories(result).Cgroup(sandbox)));
        if (LibC.geteuid() != 0)
        {
            throw new ArgumentException("Cannot check that a guest boots 'here': containers can be created by root only. Run as root");
        }

        if (host.Warning is { } warning)
        {
            await Console.Error.WriteLineAsync($"kata-runtime: warning: {warning}");
        }

        if (boot)
        {
            string said = await BootAsync(globals.Directories(result), sandbox, ServiceArguments.Of(globals, result, globals.Directories(result), sandbox), configuration.Limits);
            await Console.Out.WriteLineAsync($"  {said}");
        }

        await Console.Out.WriteLineAsync($"  {char.ToUpperInvariant(host.Reason[0])}{host.Reason[1..]}");
        await Console.Out.WriteLineAsync("System is capable of running Kata Containers");
        if (boot)
        {
            await Console.Out.WriteLineAsync("System can currently create Kata Containers");
        }
    }

    private static async Task<string> BootAsync(SandboxDirectories directories, SandboxId sandbox, List<string> arguments, LimitsConfig limits)
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
