using System.Text.Json.Serialization;

namespace Kata.Runtime.Commands;

[JsonSourceGenerationOptions(WriteIndented = true)]
[JsonSerializable(typeof(KataEnvironment))]
internal sealed partial class KataEnvironmentJson : JsonSerializerContext;
