using System.Text.Json.Serialization;

namespace Kata.Runtime.Factory;

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(FactoryStatus))]
internal sealed partial class FactoryJsonContext : JsonSerializerContext;
