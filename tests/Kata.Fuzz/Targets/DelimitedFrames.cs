using Google.Protobuf;

namespace Kata.Fuzz.Targets;

/// <summary>Messages one after the other, each with its length before it, until one is none.</summary>
internal static class DelimitedFrames
{
    public static IEnumerable<T> Read<T>(byte[] input, MessageParser<T> parser)
        where T : IMessage<T>
    {
        using var stream = new MemoryStream(input);
        while (stream.Position < stream.Length)
        {
            T message;
            try
            {
                message = parser.ParseDelimitedFrom(stream);
            }
            catch (InvalidProtocolBufferException)
            {
                yield break;
            }

            yield return message;
        }
    }
}
