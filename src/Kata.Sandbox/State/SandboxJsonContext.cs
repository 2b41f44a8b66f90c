using System.Text.Json.Serialization;

namespace Kata.Sandbox;

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    DefaultBufferSize = 1024, // lines of a hundred bytes; of the 16 KB that are usual every thread would keep some in the pool
    RespectNullableAnnotations = true)]
[JsonSerializable(typeof(JournalLine))]
[JsonSerializable(typeof(SandboxState))]
[JsonSerializable(typeof(DirectNetworkDocument))]
internal sealed partial class SandboxJsonContext : JsonSerializerContext;
