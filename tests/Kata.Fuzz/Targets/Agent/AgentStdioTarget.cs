using System.Text;
using Grpc.Core;
using Kata.Agent.Protocol.Extension;
using Kata.Agent.Stdio;
using Kata.Linux;
using Kata.Linux.Interop;

namespace Kata.Fuzz.Targets;

/// <summary>
/// The agent's end of a Stdio call over a process that says a little and ends; the host sends the input's frames, then all the credit that
/// is missing. What the process said arrives, and what it was sent is what it reads.
/// </summary>
internal sealed class AgentStdioTarget : AsyncTarget
{
    private const int SaysBytes = 1000;

    public override string Name => "stdio-agent";

    protected override async Task RunAsync(byte[] input)
    {
        List<StdioToGuest> frames = [.. DelimitedFrames.Read(input, StdioToGuest.Parser)];
        uint credit = (uint)(input.Length == 0 ? 0 : input[^1] * 8);
        using var stdio = ProcessStdio.CreatePipes();
        using SafeFileDescriptor childInput = stdio.ChildDescriptors[0].Duplicate();
        string says = new('x', SaysBytes);
        for (int number = 1; number <= 2; number++)
        {
            _ = DescriptorWriter.Write(stdio.ChildDescriptors[number], Encoding.ASCII.GetBytes(says), "write as the process");
        }

        stdio.ProcessEnded();
        stdio.ReleaseChildEnds();
        // The end is read, too.
        StdioToGuest[] rest = [new StdioToGuest { StdoutCredit = SaysBytes + 1 }, new StdioToGuest { StderrCredit = SaysBytes + 1 }];
        var responses = new FrameCollector<StdioFromGuest>();
        using var session = new StdioSession(
            stdio, Task.CompletedTask, new StdioOpen { StdoutCredit = credit, StderrCredit = credit },
            new FrameScript<StdioToGuest>([.. frames, .. rest]), responses);
        bool refused = false;
        try
        {
            await session.RunAsync(CancellationToken.None);
        }
        catch (RpcException refusal) when (refusal.StatusCode is StatusCode.InvalidArgument or StatusCode.ResourceExhausted)
        {
            refused = true;
        }

        stdio.Dispose();
        CheckInput(childInput, frames);
        CheckOutput(
            responses.Frames,
            refused || frames.Exists(static frame => frame.FrameCase == StdioToGuest.FrameOneofCase.StdoutClosed),
            static frame => frame.Stdout.Length);
        CheckOutput(
            responses.Frames,
            refused || frames.Exists(static frame => frame.FrameCase == StdioToGuest.FrameOneofCase.StderrClosed),
            static frame => frame.Stderr.Length);
    }

    private static void CheckOutput(List<StdioFromGuest> frames, bool mayBeCut, Func<StdioFromGuest, int> length)
    {
        int total = frames.Sum(length);
        Finding.Unless(mayBeCut ? total <= SaysBytes : total == SaysBytes, $"{total} of {SaysBytes} bytes arrived");
    }

    // The session ends with the outputs: the input may not have come through whole, but it is the beginning of what was sent.
    private static unsafe void CheckInput(SafeFileDescriptor childInput, List<StdioToGuest> frames)
    {
        byte[] sent = [.. frames.TakeWhile(static frame => frame.FrameCase != StdioToGuest.FrameOneofCase.StdinEof)
            .SelectMany(static frame => frame.Stdin)];
        byte[] read = new byte[sent.Length + 1];
        int total = 0;
        fixed (byte* buffer = read)
        {
            // SAFETY: the buffer is pinned, and the kernel writes at most what is left of it.
            nint count;
            while (total < read.Length && (count = LibC.read(childInput, buffer + total, (nuint)(read.Length - total))) > 0)
            {
                total += (int)count;
            }
        }

        Finding.Unless(
            total <= sent.Length && sent.AsSpan(0, total).SequenceEqual(read.AsSpan(0, total)), "the process reads what nobody sent");
    }
}
