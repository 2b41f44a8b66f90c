using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Kata.Oci;

/// <summary>Finds the first place where a JSON document does not fit a type, by the metadata the reader itself uses.</summary>
internal static class JsonShape
{
    internal static InvalidSpecException Explain(ReadOnlySpan<byte> utf8, JsonTypeInfo type, JsonException exception)
    {
        JsonElement root;
        var reader = new Utf8JsonReader(utf8, new JsonReaderOptions { MaxDepth = OciJson.MaxDepth });
        try
        {
            root = JsonElement.ParseValue(ref reader);
            if (reader.Read())
                throw new JsonException();
        }
        catch (JsonException syntax)
        {
            return JsonSyntax.Explain(utf8, syntax.LineNumber is null ? exception : syntax);
        }

        return Check(root, type) ?? new InvalidSpecException("", "is not understood", "Follow the OCI runtime specification", exception);
    }

    /// <summary>Finds nulls in arrays and maps, which the reader lets pass whatever the type says.</summary>
    /// <param name="utf8">A document that the reader accepted.</param>
    /// <param name="type">What it was read as.</param>
    /// <returns>What is wrong; null when nothing is.</returns>
    internal static InvalidSpecException? FindNull(ReadOnlySpan<byte> utf8, JsonTypeInfo type)
    {
        var reader = new Utf8JsonReader(utf8, new JsonReaderOptions { MaxDepth = OciJson.MaxDepth });
        return Check(JsonElement.ParseValue(ref reader), type);
    }

    /// <summary>Finds text that is none: the reader lets it pass in members that it does not know, and it cannot be written.</summary>
    /// <param name="utf8">A document that the reader accepted.</param>
    /// <returns>What is wrong; null when nothing is.</returns>
    internal static InvalidSpecException? FindBrokenText(ReadOnlySpan<byte> utf8)
    {
        var reader = new Utf8JsonReader(utf8, new JsonReaderOptions { MaxDepth = OciJson.MaxDepth });
        try
        {
            while (reader.Read())
            {
                if (reader.TokenType is JsonTokenType.String or JsonTokenType.PropertyName)
                    _ = reader.GetString();
            }

            return null;
        }
        catch (InvalidOperationException exception)
        {
            return NotUnicode(exception);
        }
    }

    private static InvalidSpecException? Check(JsonElement root, JsonTypeInfo type)
    {
        try
        {
            return Find(root, type, "");
        }
        catch (InvalidOperationException exception) // a name is not valid UTF-8, or has half a surrogate pair
        {
            return NotUnicode(exception);
        }
    }

    private static InvalidSpecException NotUnicode(InvalidOperationException exception) =>
        new("", "holds text that is not Unicode", "Write it as UTF-8", exception);

    private static InvalidSpecException? Find(JsonElement element, JsonTypeInfo type, string pointer) => type.Kind switch
    {
        JsonTypeInfoKind.Object => FindInObject(element, type, pointer),
        JsonTypeInfoKind.Enumerable => FindInArray(element, type, pointer),
        JsonTypeInfoKind.Dictionary => FindInDictionary(element, type, pointer),
        _ => FindInScalar(element, type, pointer),
    };

    private static InvalidSpecException? FindInObject(JsonElement element, JsonTypeInfo type, string pointer)
    {
        if (element.ValueKind != JsonValueKind.Object)
            return Wrong(element, pointer, "It must be an object");

        foreach (JsonPropertyInfo property in type.Properties)
        {
            if (property.IsExtensionData)
                continue;
            string child = $"{pointer}/{property.Name}";
            if (!element.TryGetProperty(property.Name, out JsonElement value))
            {
                if (property.IsRequired)
                    return new InvalidSpecException(child, "is missing", $"It must be {Describe(property.PropertyType)}");
                continue;
            }

            if (value.ValueKind == JsonValueKind.Null)
            {
                bool plainValue = property.PropertyType.IsValueType && Nullable.GetUnderlyingType(property.PropertyType) is null;
                if (!property.IsSetNullable || plainValue)
                    return Wrong(value, child, $"It must be {Describe(property.PropertyType)}");
                continue;
            }

            if (Find(value, type.Options.GetTypeInfo(property.PropertyType), child) is { } found)
                return found;
        }

        return null;
    }

    private static InvalidSpecException? FindInArray(JsonElement element, JsonTypeInfo type, string pointer)
    {
        if (element.ValueKind != JsonValueKind.Array)
            return Wrong(element, pointer, "It must be an array");

        JsonTypeInfo itemType = type.Options.GetTypeInfo(type.ElementType!);
        int index = 0;
        foreach (JsonElement item in element.EnumerateArray())
        {
            if (Find(item, itemType, string.Create(CultureInfo.InvariantCulture, $"{pointer}/{index}")) is { } found)
                return found;
            index++;
        }

        return null;
    }

    private static InvalidSpecException? FindInDictionary(JsonElement element, JsonTypeInfo type, string pointer)
    {
        if (element.ValueKind != JsonValueKind.Object)
            return Wrong(element, pointer, "It must be an object");

        JsonTypeInfo valueType = type.Options.GetTypeInfo(type.ElementType!);
        foreach (JsonProperty member in element.EnumerateObject())
        {
            string name = member.Name.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal);
            if (Find(member.Value, valueType, $"{pointer}/{name}") is { } found)
                return found;
        }

        return null;
    }

    private static InvalidSpecException? FindInScalar(JsonElement element, JsonTypeInfo type, string pointer)
    {
        Type scalar = Nullable.GetUnderlyingType(type.Type) ?? type.Type;
        bool fits = Type.GetTypeCode(scalar) switch
        {
            TypeCode.String => element.ValueKind == JsonValueKind.String,
            TypeCode.Boolean => element.ValueKind is JsonValueKind.True or JsonValueKind.False,
            TypeCode.UInt16 => element.ValueKind == JsonValueKind.Number && element.TryGetUInt16(out _),
            TypeCode.UInt32 => element.ValueKind == JsonValueKind.Number && element.TryGetUInt32(out _),
            TypeCode.UInt64 => element.ValueKind == JsonValueKind.Number && element.TryGetUInt64(out _),
            TypeCode.Int32 => element.ValueKind == JsonValueKind.Number && element.TryGetInt32(out _),
            TypeCode.Int64 => element.ValueKind == JsonValueKind.Number && element.TryGetInt64(out _),
            _ => true,
        };
        return fits ? null : Wrong(element, pointer, $"It must be {Describe(type.Type)}");
    }

    private static InvalidSpecException Wrong(JsonElement element, string pointer, string remedy) =>
        new(pointer, $"holds {Describe(element)}", remedy);

    private static string Describe(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Object => "an object",
        JsonValueKind.Array => "an array",
        JsonValueKind.Null => "null",
        JsonValueKind.String => $"the string {SpecText.Quote(DescribeString(element))}",
        JsonValueKind.Number => $"the number {SpecText.Clean(element.GetRawText())}",
        _ => element.GetRawText(),
    };

    private static string DescribeString(JsonElement element)
    {
        try
        {
            return element.GetString()!;
        }
        catch (InvalidOperationException) // the text is not valid UTF-8 or has half a surrogate pair
        {
            return "not Unicode text";
        }
    }

    private static string Describe(Type type) => Type.GetTypeCode(Nullable.GetUnderlyingType(type) ?? type) switch
    {
        TypeCode.String => "a string",
        TypeCode.Boolean => "true or false",
        TypeCode.UInt16 => "a whole number from 0 to 65535",
        TypeCode.UInt32 => "a whole number from 0 to 4294967295",
        TypeCode.UInt64 => "a whole number from 0 to 18446744073709551615",
        TypeCode.Int32 => "a whole number from -2147483648 to 2147483647",
        TypeCode.Int64 => "a whole number from -9223372036854775808 to 9223372036854775807",
        _ when typeof(System.Collections.IEnumerable).IsAssignableFrom(type) && type.GenericTypeArguments.Length == 1 => "an array",
        _ => "an object",
    };
}
