namespace Kata.Configuration.Tests;

public sealed class ConfigurationListingTests
{
    private const string DropIn = "/etc/kata-containers/config.d/10.toml";

    private static MemoryFiles Files => new MemoryFiles()
        .With(
            MemoryFiles.Main,
            "[hypervisor.qemu]\ndefault_memory = 512\nkernel = \"/k\"\nmemory_slots = 10\n[runtime]\ncreate_container_timeout = 90\n")
        .With(DropIn, "[hypervisor.qemu]\ndefault_memory = 1024\n[agent.kata]\nkernel_modules = [\"a b\", \"c\"]\n");

    [Theory]
    [InlineData("default_memory = 1024", DropIn + ":2")]
    [InlineData("kernel = \"/k\"", MemoryFiles.Main + ":3")]
    [InlineData("create_container_timeout = 90", MemoryFiles.Main + ":6")]
    [InlineData("kernel_modules = [\"a b\", \"c\"]", DropIn + ":4")]
    [InlineData("boot_timeout = 60", "built-in")]
    [InlineData("path = \"/usr/bin/qemu-system-", "found on this host")]
    [InlineData("# memory_slots = 10", MemoryFiles.Main + ":4, no effect")]
    public void Write_WithOrigins_NamesFileAndLine(string start, string origin)
    {
        string line = Assert.Single(Write(Files, origins: true).Split('\n'), line => line.StartsWith(start, StringComparison.Ordinal));
        Assert.EndsWith($" # {origin}", line, StringComparison.Ordinal);
    }

    [Fact]
    public void Write_NamesTheFilesThatWereRead() =>
        Assert.StartsWith(
            $"# {MemoryFiles.Main}\n# {DropIn}\n\n[hypervisor.qemu]\n", Write(Files, origins: false), StringComparison.Ordinal);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Write_ReadAgain_IsTheSameConfiguration(bool origins)
    {
        string text = Write(Files, origins);
        IEnumerable<string> written = Write(Files, false).Split('\n')
            .Where(static line => line != $"# {DropIn}" && !line.Contains("memory_slots", StringComparison.Ordinal));
        Assert.Equal(Write(new MemoryFiles().With(MemoryFiles.Main, text), false).Split('\n')[1..], written.ToArray()[1..]);
    }

    [Fact]
    public void Write_EveryKeyThatApplies_IsThere()
    {
        string[] lines = Write(new MemoryFiles(), origins: false).Split('\n');
        foreach (ConfigurationKey key in ConfigurationSchema.Keys.Where(static key => key.Use == KeyUse.Applied))
        {
            Assert.Contains(lines, line => line.StartsWith($"{key.Name} = ", StringComparison.Ordinal));
        }
    }

    private static string Write(MemoryFiles files, bool origins)
    {
        using var writer = new StringWriter();
        ConfigurationListing.Write(KataConfiguration.Load(files.Sources()), origins, writer);
        return writer.ToString();
    }
}
