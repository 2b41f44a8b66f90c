using Kata.Agent.Protocol.Extension;
using Kata.Sandbox;

namespace Kata.Fuzz.Targets;

/// <summary>
/// The host's end of a Stdio call whose guest sends the input's frames. What a reader gets is the beginning of what was sent, all that came
/// before the guest called itself drained if it kept to its credit, and credit is given for no more than came.
/// </summary>
internal sealed class HostStdioTarget : AsyncTarget
{
    public override string Name => "stdio-host";

    protected override async Task RunAsync(byte[] input)
    {
        List<StdioFromGuest> frames = [.. DelimitedFrames.Read(input, StdioFromGuest.Parser)];
        using var output = new MemoryStream();
        using var error = new MemoryStream();
        var sent = new FrameCollector<StdioToGuest>();
        var invoker = new ScriptedCall(new FrameScript<StdioFromGuest>(frames), sent);
        string? violation = null;
        var streams = new ProcessStdio { Input = new MemoryStream("input of the process"u8.ToArray()), Output = output, Error = error };
        await using (var pump = new StreamedStdioPump(
            new AgentExtension.AgentExtensionClient(invoker), "c", "", streams, text => violation = text))
        {
            await pump.Drained;
        }

        Check(
            frames,
            static frame => frame.Stdout.Span.ToArray(),
            static frame => frame.FrameCase == StdioFromGuest.FrameOneofCase.StdoutEof,
            output.ToArray(),
            violation);
        Check(
            frames,
            static frame => frame.Stderr.Span.ToArray(),
            static frame => frame.FrameCase == StdioFromGuest.FrameOneofCase.StderrEof,
            error.ToArray(),
            violation);
        Finding.Unless(
            sent.Frames.Sum(static frame => frame.StdoutCredit) <= output.ToArray().Length, "more credit was given than bytes came");
        long granted = frames.Sum(static frame => frame.StdinCredit);
        Finding.Unless(sent.Frames.Sum(static frame => frame.Stdin.Length) <= granted, "more input was sent than the guest takes");
    }

    private static void Check(
        List<StdioFromGuest> frames, Func<StdioFromGuest, byte[]> data, Func<StdioFromGuest, bool> isEnd, byte[] read, string? violation)
    {
        List<StdioFromGuest> open = [.. frames.TakeWhile(frame => !isEnd(frame))];
        byte[] all = [.. open.SelectMany(data)];
        Finding.Unless(all.AsSpan().StartsWith(read), "other bytes were written than came");
        // The pump is closed as soon as it is drained: whether what comes later is still written is a race that either may win.
        int due = open.TakeWhile(static frame => frame.FrameCase != StdioFromGuest.FrameOneofCase.Drained).Sum(frame => data(frame).Length);
        Finding.Unless(violation is not null || read.Length >= due, $"{read.Length} of {due} bytes were written");
    }
}
