using System.Text.Json.Serialization;

namespace Kata.Service;

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(StandInHello))]
[JsonSerializable(typeof(ClaimRequest))]
internal sealed partial class ServiceJsonContext : JsonSerializerContext;
