using System.CommandLine;
using Kata.Linux;
using Kata.Oci;
using Kata.Runtime.Hosting;
using Kata.Runtime.Statistics;

namespace Kata.Runtime.Commands;

/// <summary><c>events ID</c>: the container's figures and memory shortages as JSON lines, until it ends.</summary>
internal static class EventsCommand
{
    /// <summary>The runtime's timers go no further.</summary>
    private static readonly TimeSpan s_longest = TimeSpan.FromDays(40);

    public static Command Define(GlobalOptions globals)
    {
        var id = new Argument<string>("ID") { Description = "The container" };
        var interval = new Option<string>("--interval")
        {
            Description = "Time between two figures, such as 5s, 500ms or 1m30s",
            HelpName = "DURATION",
            DefaultValueFactory = static _ => "5s",
        };
        var stats = new Option<bool>("--stats") { Description = "Print the figures once and exit" };
        var command = new Command("events", "Print a container's figures and memory shortages as JSON lines") { id, interval, stats };
        command.SetAction(async (result, _) =>
        {
            using CommandLog log = CommandLog.Begin(globals, result);
            var lookup = new ContainerLookup(globals.Directories(result));
            ContainerId container = lookup.ResolveToRead(result.GetValue(id)!, "watch");
            TimeSpan pause = ParseInterval(result.GetValue(interval)!);
            await using PodClient client = lookup.Connect(container, "watch");
            var watch = new ContainerWatch(client, container, new StandardOutput(1), TimeProvider.System);
            await (result.GetValue(stats) ? watch.PrintStatsAsync() : watch.RunAsync(pause));
            return ExitCodes.Success;
        });
        return command;
    }

    internal static TimeSpan ParseInterval(string text) => DurationText.Parse(text) switch
    {
        null => throw new ArgumentException(
            $"Cannot use --interval '{text}': it is malformed. Give numbers with units, such as 5s, 500ms or 1m30s"),
        { } interval when interval < TimeSpan.FromMilliseconds(1) || interval > s_longest =>
            throw new ArgumentException($"Cannot use --interval '{text}': duration interval must be greater than 0. "
                + $"Give a time from 1ms to {s_longest.TotalHours:0}h"),
        { } interval => interval,
    };
}
