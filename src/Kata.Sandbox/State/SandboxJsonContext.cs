using System.Text.Json.Serialization;

namespace Kata.Sandbox;

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    RespectNullableAnnotations = true)]
[JsonSerializable(typeof(JournalLine))]
[JsonSerializable(typeof(SandboxState))]
internal sealed partial class SandboxJsonContext : JsonSerializerContext;
