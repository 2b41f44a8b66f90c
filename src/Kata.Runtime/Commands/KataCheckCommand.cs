using System.CommandLine;
using Kata.Configuration;
using Kata.Hypervisor;
using Kata.Linux.Interop;
using Kata.Oci;
using Kata.Runtime.Hosting;
using Kata.Sandbox;

namespace Kata.Runtime.Commands;

/// <summary><c>kata-check</c>: whether containers can be created here. Each problem comes with its remedy; nothing is fetched.</summary>
internal static class KataCheckCommand
{
    public static Command Define(GlobalOptions globals)
    {
        var command = new Command("kata-check", "Tell whether this host can run containers, and what is missing");
        command.Aliases.Add("check");
        command.SetAction(result =>
        {
            using CommandLog log = CommandLog.Begin(globals, result);
            KataConfiguration configuration = KataConfiguration.Load(globals.Sources(result));
            AcceleratorChoice host = AcceleratorProbe.Decide(VirtualizationFacts.Read());
            SandboxPlan plan = SandboxPlanner.Plan(SandboxId.Parse("check"), configuration, host, new RuntimeSpec { OciVersion = VersionCommand.OciVersion });
            SandboxFiles.Check(plan);
            Console.Out.WriteLine("System is capable of running Kata Containers");
            Console.Out.WriteLine($"  {host.Reason}");
            if (LibC.geteuid() != 0)
            {
                Console.Error.WriteLine("ERROR: Containers can be created by root only. Run as root");
                return ExitCodes.Failure;
            }

            Console.Out.WriteLine("System can currently create Kata Containers");
            return ExitCodes.Success;
        });
        return command;
    }
}
