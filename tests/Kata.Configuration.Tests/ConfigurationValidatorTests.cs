namespace Kata.Configuration.Tests;

public sealed class ConfigurationValidatorTests
{
    [Fact]
    public void Validate_NothingWrong_FindsNothing() =>
        Assert.Empty(ConfigurationValidator.Validate(
            new MemoryFiles().With(MemoryFiles.Main, "[hypervisor.qemu]\ndefault_memory = 512\n").Sources(), namedFiles: false));

    [Fact]
    public void Validate_NoFile_FindsNothing() =>
        Assert.Empty(ConfigurationValidator.Validate(new MemoryFiles().Sources(), namedFiles: false));

    [Fact]
    public void Validate_ManyWrong_FindsEachWithItsLine()
    {
        IReadOnlyList<string> errors = Errors(
            """
            [hypervisor.qemu]
            default_memory = "2G"
            machine_type = "pdp11"
            kernel = "relative"
            initrd = "/r"
            image = "/i"
            enable_annotations = ["("]
            default_vcpus = 3
            default_maxvcpus = 2
            [kata]
            boot_timeout = 0
            jail_user = 0
            """);
        Assert.Equal(
            [
                "2: hypervisor.qemu.default_memory", "3: hypervisor.qemu.machine_type", "4: hypervisor.kernel", "5: both initrd and image",
                "6: hypervisor.image", "7: hypervisor.enable_annotations", "9: hypervisor.default_maxvcpus", "11: kata.boot_timeout",
                "12: kata.jail_user",
            ],
            errors.Select(static text => Short(text)));
    }

    [Fact]
    public void Validate_UnknownHypervisor_IsOneFinding() =>
        Assert.Single(Errors("[hypervisor.vbox]\npath = \"/a\"\nkernel = \"/b\"\n"));

    [Fact]
    public void Validate_MainIsNotToml_ChecksTheDropInsAllTheSame()
    {
        MemoryFiles files = new MemoryFiles()
            .With(MemoryFiles.Main, "[broken")
            .With("/etc/kata-containers/config.d/10.toml", "[kata]\njail_user = 0\n");
        Assert.Equal(
            ["/etc/kata-containers/config.d/10.toml:2", "/etc/kata-containers/configuration.toml:1"],
            ConfigurationValidator.Validate(files.Sources(), namedFiles: false).Select(static finding => finding.Text.Split('\'')[1]));
    }

    [Fact]
    public void Validate_OddThings_AreNoErrors()
    {
        IReadOnlyList<ConfigurationFinding> findings = ConfigurationValidator.Validate(
            new MemoryFiles().With(MemoryFiles.Main, "[hypervisor.qemu]\nkernal = \"/a\"\nmemory_slots = 10\n").Sources(),
            namedFiles: false);
        Assert.All(findings, static finding => Assert.False(finding.IsError));
        Assert.Contains("Did you mean 'kernel'?", findings[0].Text, StringComparison.Ordinal);
        Assert.Equal($"{MemoryFiles.Main}:3: the key 'hypervisor.memory_slots' is accepted and has no effect here", findings[1].Text);
    }

    [Fact]
    public void Validate_FileMissing_IsAFinding()
    {
        ConfigurationSources sources = new MemoryFiles().Sources() with { ExplicitPath = "/none.toml" };
        Assert.Contains(
            "there is no such file",
            Assert.Single(ConfigurationValidator.Validate(sources, namedFiles: false)).Text,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Validate_SaysFirstWhatLoadSays()
    {
        const string Toml = "[kata]\njail_user = 0\nboot_timeout = 0\n";
        Assert.Equal(MemoryFiles.Refused(Toml), Errors(Toml)[0]);
    }

    [Theory]
    [InlineData(
        "[hypervisor.firecracker]\npath = \"/f\"\n", "2': there is no driver for [hypervisor.firecracker] yet. Use [hypervisor.qemu]")]
    [InlineData(
        "[hypervisor.qemu]\n\nimage = \"/i\"\n",
        "3': hypervisor.image holds \"/i\", and guests cannot boot from a disk image yet. Leave it out")]
    public void Validate_WhatHasNoDriver_IsAnError(string toml, string end) =>
        Assert.Contains(end, Assert.Single(Errors(toml)), StringComparison.Ordinal);

    private static IReadOnlyList<string> Errors(string toml)
    {
        IReadOnlyList<ConfigurationFinding> findings = ConfigurationValidator.Validate(
            new MemoryFiles().With(MemoryFiles.Main, toml).Sources(), namedFiles: false);
        return [.. findings.Where(static finding => finding.IsError).Select(static finding => finding.Text)];
    }

    // 'Cannot use the configuration '/etc/...toml:2': hypervisor.qemu.default_memory holds ...' as '2: hypervisor.qemu.default_memory'.
    private static string Short(string text)
    {
        string[] parts = text.Split("': ", 2);
        string[] words = parts[1].Split(' ');
        return $"{parts[0].Split(':')[^1]}: {(words[0] == "both" ? "both initrd and image" : words[0])}";
    }
}
