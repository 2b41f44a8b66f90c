using System.Buffers;
using System.Text.Json;
using Google.Protobuf.Collections;

namespace Kata.Agent.Specifications;

/// <summary>
/// Values as crun is told them: protobuf has no "absent", so zero and empty are left out, and crun takes the default that runc would.
/// </summary>
internal static class JsonValues
{
    private static readonly JsonWriterOptions s_options = new() { SkipValidation = true };

    /// <summary>A whole document.</summary>
    /// <param name="size">How large it is, about.</param>
    /// <param name="content">Writes it.</param>
    public static byte[] Document(int size, Action<Utf8JsonWriter> content)
    {
        var buffer = new ArrayBufferWriter<byte>(size);
        using (var json = new Utf8JsonWriter(buffer, s_options))
        {
            content(json);
        }

        return buffer.WrittenSpan.ToArray();
    }

    public static void WriteNonEmpty(this Utf8JsonWriter json, string name, string value)
    {
        if (value.Length > 0)
        {
            json.WriteString(name, value);
        }
    }

    public static void WriteNonZero(this Utf8JsonWriter json, string name, long value)
    {
        if (value != 0)
        {
            json.WriteNumber(name, value);
        }
    }

    /// <param name="json">Where to.</param>
    /// <param name="name">The property's.</param>
    /// <param name="values">Its items.</param>
    /// <param name="always">Whether an empty list is written too.</param>
    public static void WriteStrings(this Utf8JsonWriter json, string name, RepeatedField<string> values, bool always)
    {
        if (values.Count > 0 || always)
        {
            json.WriteStartArray(name);
            foreach (string value in values)
            {
                json.WriteStringValue(value);
            }

            json.WriteEndArray();
        }
    }
}
