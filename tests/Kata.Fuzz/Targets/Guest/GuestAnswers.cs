using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Kata.Agent.Protocol;
using Kata.Agent.Protocol.Extension;
using Kata.Oci;
using Kata.Runtime.Processes;
using Kata.Runtime.Statistics;
using Kata.Service;

namespace Kata.Fuzz.Targets;

/// <summary>
/// Messages of the agent that the host makes listings and statistics of. No number in them is too large, and no text goes through as it is.
/// </summary>
internal static class GuestAnswers
{
    private static readonly PsFormat s_allColumns = PsFormat.Parse(["-o", string.Join(',', PsColumns.Names)]);
    private static readonly DateTimeOffset s_now = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);
    private static readonly ContainerId s_container = ContainerId.Parse("c");

    public static IFuzzTarget Create(string name) => new ChoiceTarget(name, Processes, Statistics);

    private static void Processes(byte[] input)
    {
        if (Parse(input, ListProcessesResponse.Parser) is { } response)
        {
            string text = s_allColumns.Render(response.Processes, s_now);
            Finding.Unless(
                text.Count(static character => character == '\n') == response.Processes.Count + 1, "a process has more lines than one");
            GuestTexts.CheckPrintable(text.Replace("\n", "", StringComparison.Ordinal));
        }
    }

    private static void Statistics(byte[] input)
    {
        if (Parse(input, StatsContainerResponse.Parser) is { } response)
        {
            foreach (bool unified in (bool[])[true, false])
            {
                Any packed = ContainerMetrics.Pack(response, unified);
                Finding.Unless(packed.CalculateSize() <= (input.Length * 64) + (64 * 1024), "statistics have no bound");
            }

            byte[] line = EventLine.Stats(s_container, response);
            using var document = System.Text.Json.JsonDocument.Parse(line);
            Finding.Unless(line.AsSpan().Count((byte)'\n') == 1, "an event has more lines than one");
        }
    }

    private static T? Parse<T>(byte[] input, MessageParser<T> parser)
        where T : class, IMessage<T>
    {
        try
        {
            return parser.ParseFrom(input);
        }
        catch (InvalidProtocolBufferException)
        {
            return null;
        }
    }
}
