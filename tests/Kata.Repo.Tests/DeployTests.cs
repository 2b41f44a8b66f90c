using System.Text.Json;
using System.Text.RegularExpressions;
using YamlDotNet.RepresentationModel;

namespace Kata.Repo.Tests;

/// <summary>What is in <c>deploy/</c> for clusters: that it is YAML, that it is said once, and that its parts know each other.</summary>
public sealed partial class DeployTests
{
    private const string Chart = "deploy/helm/kata";
    private const string Manifest = "deploy/kubernetes/kata.yaml";
    private const string Label = "katacontainers.io/kata-runtime";

    private static readonly string[] s_templates = ["runtimeclass", "rbac", "daemonset"];

    /// <summary>With KATA_UPDATE_GOLDEN in the environment the manifest is written anew.</summary>
    [Fact]
    public void Manifest_IsTheChartWithItsDefaultValues()
    {
        string rendered = "# The chart deploy/helm/kata with its default values, for kubectl apply -f. Change the image's name. "
            + "Do not edit the rest: a test compares.\n"
            + string.Concat(s_templates.Select(static name => $"---\n{Render(Repository.Read($"{Chart}/templates/{name}.yaml"))}"));
        if (Environment.GetEnvironmentVariable("KATA_UPDATE_GOLDEN") is { Length: > 0 })
        {
            File.WriteAllText(Path.Combine(Repository.Root, Manifest), rendered);
        }

        Assert.Equal(rendered, Repository.Read(Manifest));
    }

    [Fact]
    public void Manifest_EveryObject_HasItsKindAndName()
    {
        string[] objects = [.. Documents().Select(static node => $"{node["apiVersion"]} {node["kind"]} {node["metadata"]["name"]}")];
        Assert.Equal(
            [
                "node.k8s.io/v1 RuntimeClass kata", "v1 ServiceAccount kata-installer",
                "rbac.authorization.k8s.io/v1 ClusterRole kata-installer", "rbac.authorization.k8s.io/v1 ClusterRoleBinding kata-installer",
                "rbac.authorization.k8s.io/v1 Role kata-installer", "rbac.authorization.k8s.io/v1 RoleBinding kata-installer",
                "apps/v1 DaemonSet kata-installer",
            ],
            objects);
    }

    [Fact]
    public void DaemonSet_Pod_FitsTheScriptAndTheRuntimeClass()
    {
        YamlNode set = Documents().Single(static node => node["kind"].ToString() == "DaemonSet");
        YamlNode pod = set["spec"]["template"];
        Assert.Equal(set["spec"]["selector"]["matchLabels"], pod["metadata"]["labels"]);
        YamlNode container = pod["spec"]["containers"][0];
        string script = Repository.Read("deploy/installer/kata-deploy");
        foreach (YamlNode variable in (YamlSequenceNode)container["env"])
        {
            Assert.Contains($"${{{variable["name"]}:", script, StringComparison.Ordinal);
        }

        Assert.Contains($"label={Label}\n", script, StringComparison.Ordinal);
        Assert.Contains("kata-installer --namespace", script, StringComparison.Ordinal);
        YamlNode runtimeClass = Documents().Single(static node => node["kind"].ToString() == "RuntimeClass");
        Assert.Equal("true", runtimeClass["scheduling"]["nodeSelector"][Label].ToString());
        Assert.All(new[] { "install", "stop" }, verb => Assert.Contains($"  {verb})", script, StringComparison.Ordinal));
        Assert.Equal("[ kata-deploy, stop ]", container["lifecycle"]["preStop"]["exec"]["command"].ToString());
    }

    [Fact]
    public void Json_Docker_IsJson()
    {
        using JsonDocument document = JsonDocument.Parse(Repository.Read("deploy/docker/daemon.json"));
        Assert.Equal(
            "/usr/local/bin/kata-runtime",
            document.RootElement.GetProperty("runtimes").GetProperty("kata").GetProperty("path").GetString());
    }

    private static IEnumerable<YamlNode> Documents()
    {
        var stream = new YamlStream();
        stream.Load(new StringReader(Repository.Read(Manifest)));
        return stream.Documents.Select(static document => document.RootNode);
    }

    // The templates use two forms of Helm's language and no other: a value, and a value as JSON.
    private static string Render(string template)
    {
        YamlNode values = Load($"{Chart}/values.yaml");
        string text = Expression().Replace(template, match =>
        {
            string[] path = match.Groups["path"].Value.Split('.');
            YamlNode? node = (path[0], path[1]) switch
            {
                ("Release", "Namespace") => new YamlScalarNode("kube-system"),
                ("Chart", "AppVersion") => Load($"{Chart}/Chart.yaml")["appVersion"],
                _ => path[1..].Aggregate(values, static (at, name) => at[name]),
            };
            return match.Groups["json"].Success ? Json(node) : Assert.IsType<YamlScalarNode>(node).Value!;
        });
        Assert.DoesNotContain("{{", text, StringComparison.Ordinal);
        return text;
    }

    private static YamlNode Load(string path)
    {
        var stream = new YamlStream();
        stream.Load(new StringReader(Repository.Read(path)));
        return stream.Documents.Single().RootNode;
    }

    private static string Json(YamlNode node) => node switch
    {
        YamlMappingNode map => $"{{{string.Join(',', map.Children.Select(static pair => $"\"{pair.Key}\":{Json(pair.Value)}"))}}}",
        YamlSequenceNode list => $"[{string.Join(',', list.Children.Select(Json))}]",
        _ => $"\"{node}\"",
    };

    [GeneratedRegex(@"\{\{ (?<json>toJson )?\.(?<path>(Values|Release|Chart)(\.\w+)+) \}\}")]
    private static partial Regex Expression();
}
