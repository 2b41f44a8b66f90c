using System.Globalization;
using System.Text.Json;
using Kata.Bench;

// usage: Kata.Bench ARTIFACTS OUTPUT.json [--runs N]
// Measures in turns, one of each kind after the other, so that a machine that slows down slows all of them. Prints medians and
// ratios of this one run; nobody should quote an absolute time of a shared machine.
if (args.Length < 2)
{
    Console.Error.WriteLine("usage: Kata.Bench ARTIFACTS OUTPUT.json [--runs N]");
    return 2;
}

int runs = args.Length > 3 && args[2] == "--runs" ? int.Parse(args[3], CultureInfo.InvariantCulture) : 5;
using var workspace = new Workspace(Path.GetFullPath(args[0]));
var results = new SortedDictionary<string, double>(StringComparer.Ordinal);

StartUp.Measure(workspace, runs, results);
Execution.Measure(workspace, runs, results);
Throughput.Measure(workspace, Math.Max(2, runs / 2), results);

Report.Print(results);
File.WriteAllText(args[1], JsonSerializer.Serialize(results, Report.Json) + "\n");
Console.WriteLine($"written to {args[1]}");
return 0; // a target that is missed is published by the table, not by the exit code
