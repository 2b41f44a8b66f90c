using System.Text.Json.Nodes;

namespace Kata.Integration.Tests.Harness;

/// <summary>A pod with a container that is nobody's default: user, group and further groups are all its own.</summary>
public sealed class IdentityFixture : PodFixture
{
    /// <summary>It runs as 1000:1001 with the further groups 50 and 7; its program sleeps.</summary>
    internal string UserId { get; private set; } = "";

    private protected override async Task PrepareAsync()
    {
        await base.PrepareAsync();
        UserId = await StartSleeperAsync(
            bundle => bundle.InPod(PodId).Process["user"] = JsonNode.Parse("""{"uid":1000,"gid":1001,"additionalGids":[50,7]}"""));
    }
}
