using System.Text.Json.Serialization;

namespace Kata.Runtime.Shim;

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(BootstrapAnswer))]
internal sealed partial class ShimJsonContext : JsonSerializerContext;
