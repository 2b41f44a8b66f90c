using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Kata.Oci;

/// <summary>Says of a text that is not JSON in which field and line, what stands there and what may: without a word of .NET's.</summary>
internal static class JsonSyntax
{
    internal static InvalidSpecException Explain(ReadOnlySpan<byte> utf8, JsonException exception)
    {
        if (utf8.Trim(" \t\r\n"u8).IsEmpty)
            return new InvalidSpecException("", "is empty", "It must be a JSON object", exception);

        // The reader counts lines and bytes from zero, and may stop behind the last one.
        int start = LineStart(utf8, exception.LineNumber ?? 0);
        int offset = (int)Math.Clamp(start + (exception.BytePositionInLine ?? 0), start, utf8.Length);
        string place = string.Create(
            CultureInfo.InvariantCulture, $"at line {(exception.LineNumber ?? 0) + 1}, column {(exception.BytePositionInLine ?? 0) + 1}");
        State state = Walk(utf8);
        if (state.Path.Count >= OciJson.MaxDepth)
            return new InvalidSpecException("", $"is nested too deep {place}", $"At most {OciJson.MaxDepth} levels are read", exception);

        string found = offset == utf8.Length ? "it ends there" : $"it holds {CharacterAt(utf8[offset..])}";
        return new InvalidSpecException(Pointer(state), $"is not JSON {place}: {found}", Expected(utf8, offset, state), exception);
    }

    private static int LineStart(ReadOnlySpan<byte> utf8, long line)
    {
        int start = 0;
        for (; line > 0 && utf8[start..].IndexOf((byte)'\n') is >= 0 and int end; line--)
            start += end + 1;
        return start;
    }

    // Reads again up to the error, and keeps where that is.
    private static State Walk(ReadOnlySpan<byte> utf8)
    {
        var reader = new Utf8JsonReader(utf8, new JsonReaderOptions { MaxDepth = OciJson.MaxDepth });
        var state = new State();
        try
        {
            while (reader.Read())
            {
                state.Take(ref reader);
                state.Consumed = (int)reader.BytesConsumed;
            }
        }
        catch (JsonException)
        {
            // what we are here for
        }

        return state;
    }

    private static string Pointer(State state)
    {
        var pointer = new StringBuilder();
        foreach (Level level in state.Path)
        {
            if (level.IsArray && (level.Count > 0 || level != state.Path[^1]))
                pointer.Append(CultureInfo.InvariantCulture, $"/{level.Count}");
            else if (level.Name is { } name)
                pointer.Append('/').Append(name.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal));
        }

        return pointer.ToString();
    }

    private static string CharacterAt(ReadOnlySpan<byte> utf8) =>
        Rune.DecodeFromUtf8(utf8, out Rune character, out _) == System.Buffers.OperationStatus.Done
            ? SpecText.Quote(character.ToString())
            : string.Create(CultureInfo.InvariantCulture, $"the byte {utf8[0]}, which is not UTF-8");

    private static string Expected(ReadOnlySpan<byte> utf8, int offset, State state)
    {
        if (offset < utf8.Length && utf8[offset] < ' ')
            return "Control characters in a string must be escaped";

        bool inObject = state.Path is [.., { IsArray: false }];
        ReadOnlySpan<byte> before = utf8[..offset].TrimEnd(" \t\r\n"u8);
        // Between what was read and the error there is at most a comma or a colon, unless the error is in what comes next.
        bool withinNext = !utf8[Math.Min(state.Consumed, offset)..offset].Trim(" \t\r\n,:"u8).IsEmpty;
        return before switch
        {
            [] => "It must be a JSON object",
            _ when withinNext && inObject && state.LastToken != JsonTokenType.PropertyName => "A colon must follow the name",
            _ when withinNext => "A value is a string in double quotes, a number, true, false, null, an array or an object",
            [.., (byte)','] => inObject ? "A name in double quotes must follow the comma" : "A value must follow the comma",
            [.., (byte)':'] => "A value must follow the colon",
            [.., (byte)'{'] => "A name in double quotes or '}' must follow",
            [.., (byte)'['] => "A value or ']' must follow",
            _ when state.Path.Count == 0 => "Nothing may follow the end of the document",
            _ => inObject ? "A comma or '}' must follow" : "A comma or ']' must follow",
        };
    }

    /// <summary>An object or array that is open: the name read last in the one, the number of items read of the other.</summary>
    private sealed record Level(bool IsArray)
    {
        public string? Name { get; set; }

        public int Count { get; set; }
    }

    private sealed class State
    {
        public List<Level> Path { get; } = [];

        public JsonTokenType LastToken { get; private set; }

        public int Consumed { get; set; }

        public void Take(ref Utf8JsonReader reader)
        {
            LastToken = reader.TokenType;
            switch (reader.TokenType)
            {
                case JsonTokenType.StartObject or JsonTokenType.StartArray:
                    Path.Add(new Level(reader.TokenType == JsonTokenType.StartArray));
                    return;
                case JsonTokenType.PropertyName:
                    Path[^1].Name = NameOf(ref reader);
                    return;
                case JsonTokenType.EndObject or JsonTokenType.EndArray:
                    Path.RemoveAt(Path.Count - 1);
                    break;
            }

            // A value is complete: its member is done with.
            if (Path is [.., { } level])
            {
                level.Count++;
                level.Name = null;
            }
        }

        private static string NameOf(ref Utf8JsonReader reader)
        {
            try
            {
                return reader.GetString()!;
            }
            catch (InvalidOperationException) // not valid UTF-8, or half a surrogate pair
            {
                return "?";
            }
        }
    }
}
