using System.Text;
using Kata.Linux;
using Kata.Oci;
using Kata.Runtime;
using Kata.Runtime.Processes;
using Kata.Runtime.Shim;
using Kata.Sandbox;
using Kata.Service;
using Kata.Storage;

namespace Kata.Fuzz.Targets;

/// <summary>Small texts: of the kernel, of engines, of the command line.</summary>
internal static class HostTexts
{
    public static IFuzzTarget Create(string name) => new ChoiceTarget(
        name,
        static input => _ = Lines(input).Select(MountInfo.Parse).Count(),
        Cgroups,
        Stream,
        Process,
        static input => Refused<InvalidSpecException>(() => _ = CpuList.Count("/cpus", Text(input))),
        static input => Finding.Unless(
            DurationText.Parse(Text(input)) is not { } duration || duration.Duration() <= TimeSpan.FromDays(36_500),
            "a duration is longer than a century"),
        static input => Finding.Unless(SizeText.Parse(Text(input)) is not < -1, "a size is negative"),
        static input => Refused<ArgumentException>(() => PsFormat.Parse(Words(input)).Render([], DateTimeOffset.UnixEpoch)),
        static input => Refused<ArgumentException>(() => ShimOptions.Parse(Words(input))),
        SignalName,
        Id,
        static input => _ = MountOptions.Parse(Words(input)),
        Overlay);

    private static string Text(byte[] input) => Encoding.UTF8.GetString(input);

    private static string[] Lines(byte[] input) => Text(input).Split('\n');

    private static string[] Words(byte[] input) => Text(input).Split('\0');

    private static void Refused<TRefusal>(Action parse)
        where TRefusal : Exception
    {
        try
        {
            parse();
        }
        catch (TRefusal)
        {
            // the documented answer to bad input
        }
    }

    private static void Cgroups(byte[] input)
    {
        string[] halves = Text(input).Split('\0', 2);
        CgroupLayout layout = CgroupLayout.Parse(halves[0].Split('\n'), halves[^1].Split('\n'));
        foreach (CgroupHierarchy hierarchy in layout.ForTracking)
        {
            Finding.Unless(
                hierarchy.SelfDirectory.StartsWith(hierarchy.MountPoint, StringComparison.Ordinal),
                "our group is outside of its hierarchy");
            Finding.Unless(
                !hierarchy.SelfDirectory[hierarchy.MountPoint.Length..].Contains("/..", StringComparison.Ordinal),
                "our group is above its hierarchy");
        }
    }

    private static void Stream(byte[] input) => Refused<ArgumentException>(() =>
    {
        string text = Text(input);
        if (StdioAddress.Parse(text) is { } address && text[0] != '/' && text.Contains("://", StringComparison.Ordinal))
        {
            Finding.Unless(address.Path.StartsWith('/') || address.Path == text, "a stream has no absolute path");
            Finding.Unless(address.Arguments.Count % 2 == 0, "an argument has no value");
        }
    });

    private static void Process(byte[] input)
    {
        if (ProcessIdentity.Parse(Text(input)) is { } identity)
        {
            Finding.Unless(ProcessIdentity.Parse(identity.ToString()) == identity, "a process reads as another");
        }

        _ = ProcessIdentity.TryParseStat(Text(input), out _, out _);
    }

    private static void SignalName(byte[] input)
    {
        if (Signal.TryParse(Text(input), out Signal signal))
        {
            Finding.Unless(signal.Number is >= 1 and <= 64 && Signal.Parse(signal.Name) == signal, "a signal reads as another");
        }
    }

    private static void Id(byte[] input) => Refused<InvalidSpecException>(() =>
    {
        string id = SandboxId.Parse(Text(input)).Value;
        Finding.Unless(Path.GetFileName(id) == id && id is not ("." or ".."), "an id is no name of a file");
    });

    // What is shortened names the same layers.
    private static void Overlay(byte[] input)
    {
        string data = string.Concat(Enumerable.Repeat(Text(input), 1 + (5000 / Math.Max(1, input.Length))));
        (string? directory, string shorter) = OverlayOptions.Shorten(data);
        Finding.Unless(shorter.Length <= data.Length, "the shorter data is longer");
        Finding.Unless(Layers(data).SequenceEqual(Layers(shorter).Select(layer => directory + layer)), "other layers are mounted");
    }

    private static string[] Layers(string data) =>
        data.Split(',').FirstOrDefault(static option => option.StartsWith("lowerdir=", StringComparison.Ordinal)) is { } lower
            ? lower["lowerdir=".Length..].Split(':')
            : [];
}
