namespace Kata.Runtime.Tests;

[Collection(nameof(ConsoleGroup))]
public sealed class KataCheckCommandTests
{
    [Theory]
    [InlineData("--check-version-only")]
    [InlineData("--only-list-releases")]
    [InlineData("-n --include-all-releases --only-list-releases")]
    public async Task Check_OnlyAboutReleases_IsRefusedHonestly(string options)
    {
        using var setup = new BrokenSetup();
        CommandRun run = await setup.RunAsync($"kata-check {options}");
        Assert.Equal(1, run.Status);
        Assert.Equal("", run.Output);
        Assert.Contains(
            "this command never asks the network which releases there are. Compare 'kata-runtime version'",
            run.Error,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Check_Verbose_SaysWhatItLooksAt()
    {
        using var setup = new BrokenSetup();
        CommandRun run = await setup.RunAsync("kata-check --no-boot -v");
        Assert.Contains("  Guest kernel: {dir}/file\n", run.Output, StringComparison.Ordinal);
        Assert.Contains("  Configuration: {dir}/configuration.toml\n", run.Output, StringComparison.Ordinal);
    }
}
