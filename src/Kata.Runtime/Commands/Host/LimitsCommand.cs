using System.CommandLine;
using Kata.Runtime.Manual;

namespace Kata.Runtime.Commands;

/// <summary><c>limits</c>: what a virtual machine makes different, out of the very document that says so.</summary>
internal static class LimitsCommand
{
    public static Command Define()
    {
        var command = new Command("limits", "Print what is different or refused because a container runs in a virtual machine, and why");
        command.SetAction(static _ =>
        {
            Console.Out.WriteLine("Because it is a virtual machine:");
            foreach ((string what, string why) in MachineLimits.Read())
            {
                Console.Out.WriteLine($"\n  {what}\n      {why}");
            }

            return ExitCodes.Success;
        });
        return command;
    }
}
