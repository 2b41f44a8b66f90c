using System.Text.Json.Serialization;

namespace Kata.Runtime.Commands;

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(ContainerDocument))]
[JsonSerializable(typeof(List<ContainerDocument>))]
[JsonSerializable(typeof(List<StorageDocument>))]
internal sealed partial class RuntimeJsonContext : JsonSerializerContext;
