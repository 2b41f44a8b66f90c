using System.Text.Json.Serialization;

namespace Kata.Service;

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(StandInHello))]
internal sealed partial class ServiceJsonContext : JsonSerializerContext;
