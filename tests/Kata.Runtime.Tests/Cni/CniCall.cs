using System.Text;
using System.Text.Json.Nodes;
using Kata.Runtime.Cni;

namespace Kata.Runtime.Tests.Cni;

/// <summary>One call of the plugin, in this process.</summary>
/// <param name="Status">What it ended with.</param>
/// <param name="Output">All of its standard output.</param>
internal sealed record CniCall(int Status, string Output)
{
    /// <summary>The failure that it told, checked for its form.</summary>
    public (int Code, string Text) Error
    {
        get
        {
            Assert.Equal(1, Status);
            JsonNode document = JsonNode.Parse(Output)!;
            Assert.Equal(["cniVersion", "code", "msg", "details"], document.AsObject().Select(static item => item.Key));
            return ((int)document["code"]!, $"{document["msg"]}. {document["details"]}");
        }
    }

    /// <param name="configuration">What is on standard input.</param>
    /// <param name="variables">The environment, as <c>NAME=VALUE</c>.</param>
    public static async Task<CniCall> RunAsync(string configuration, params string[] variables)
    {
        using var output = new StringWriter();
        int status = await CniProgram.RunAsync(
            name => variables.Select(static item => item.Split('=', 2)).FirstOrDefault(item => item[0] == name)?[1],
            new MemoryStream(Encoding.UTF8.GetBytes(configuration)),
            output);
        return new CniCall(status, output.ToString());
    }

    /// <summary>Did well, and said nothing.</summary>
    public void AssertQuiet() => Assert.Equal((0, ""), (Status, Output));
}
