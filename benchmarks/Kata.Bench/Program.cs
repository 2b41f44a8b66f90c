using System.Globalization;
using System.Text.Json;
using Kata.Bench;
using Kata.Bench.Networks;

// usage: Kata.Bench ARTIFACTS OUTPUT.json [--runs N] [--only start|exec|stdout|podman|containerd|cri|pool|network]
// Measures in turns, one of each kind after the other, so that a machine that slows down slows all of them. Prints medians and
// ratios of this one run; nobody should quote an absolute time of a shared machine.
if (args is [NetworkClient.Verb, ..])
{
    return NetworkClient.Run(args[1..]);
}

if (args.Length < 2)
{
    Console.Error.WriteLine(
        "usage: Kata.Bench ARTIFACTS OUTPUT.json [--runs N] [--only start|exec|stdout|podman|containerd|cri|pool|network]");
    return 2;
}

string? Option(string name) => Array.IndexOf(args, name) is > 0 and var at && at + 1 < args.Length ? args[at + 1] : null;
int runs = int.Parse(Option("--runs") ?? "5", CultureInfo.InvariantCulture);
string? only = Option("--only");
using var workspace = new Workspace(Path.GetFullPath(args[0]));
var results = new SortedDictionary<string, double>(StringComparer.Ordinal);

if (only is null or "start") StartUp.Measure(workspace, runs, results);
if (only is null or "exec") Execution.Measure(workspace, runs, results);
if (only is null or "stdout") Throughput.Measure(workspace, Math.Max(2, runs / 2), results);
if (only is null or "podman") Engine.Measure(workspace, runs, results);
if (only is null or "containerd") Shim.Measure(workspace, runs, results);
if (only is null or "cri") Cri.Measure(workspace, runs, results);
if (only is null or "pool") Pool.Measure(workspace, runs, results);
if (only is null or "network") Network.Measure(workspace, runs, results);

Report.Print(results);
File.WriteAllText(args[1], JsonSerializer.Serialize(results, Report.Json) + "\n");
Console.WriteLine($"written to {args[1]}");
return 0; // a target that is missed is published by the table, not by the exit code
