using System.Text;
using System.Text.Json.Nodes;

namespace Kata.Oci.Tests;

/// <summary>Makes specifications that differ from a good one in one place.</summary>
internal static class Specs
{
    internal const string Minimal =
        """{"ociVersion":"1.0.2","process":{"args":["true"],"cwd":"/"},"root":{"path":"rootfs"},"linux":{"namespaces":[{"type":"uts"}]}}""";

    /// <summary>The minimal specification with the value at a JSON pointer replaced, made (with its objects), or removed (null).</summary>
    internal static byte[] With(string at, string? json)
    {
        JsonNode root = JsonNode.Parse(Minimal)!;
        JsonNode node = root;
        string[] steps = at.Split('/')[1..];
        foreach (string step in steps[..^1])
            node = node is JsonArray list ? list[int.Parse(step)]! : node[step] ??= new JsonObject();

        if (node is JsonArray array)
            array[int.Parse(steps[^1])] = JsonNode.Parse(json!);
        else if (json is null)
            ((JsonObject)node).Remove(steps[^1]);
        else
            node[steps[^1]] = JsonNode.Parse(json);
        return Encoding.UTF8.GetBytes(root.ToJsonString());
    }

    internal static RuntimeSpec Parse(string json) => OciJson.ParseSpec(Encoding.UTF8.GetBytes(json));
}
