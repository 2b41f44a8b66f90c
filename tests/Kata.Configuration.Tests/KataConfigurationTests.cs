using System.Text;

namespace Kata.Configuration.Tests;

public sealed class KataConfigurationTests
{
    [Fact]
    public void Load_NoFile_IsBuiltIn()
    {
        KataConfiguration configuration = KataConfiguration.Load(new MemoryFiles().Sources());

        Assert.Null(configuration.Path);
        Assert.Empty(configuration.Warnings);
        HypervisorConfig hypervisor = configuration.Hypervisor;
        Assert.Equal("qemu", hypervisor.Name);
        Assert.Equal("/opt/k/share/kata-containers/vmlinuz.container", hypervisor.KernelPath);
        Assert.Equal("/opt/k/share/kata-containers/kata-containers-initrd.img", hypervisor.InitrdPath);
        Assert.Null(hypervisor.ImagePath);
        Assert.Equal("/usr/lib/qemu/virtiofsd", hypervisor.VirtioFsDaemonPath);
        Assert.Equal((1, 4, 2048L), (hypervisor.DefaultVcpus, hypervisor.MaxVcpus, hypervisor.MemoryMib));
        Assert.Empty(hypervisor.EnableAnnotations);
        Assert.Equal(TimeSpan.FromSeconds(60), configuration.Limits.BootTimeout);
        Assert.Equal(65534u, configuration.Limits.JailUser);
        Assert.Equal("built-in", configuration.OriginOf("hypervisor.default_memory").ToString());
    }

    // A copy of the executable somewhere else.
    [Theory]
    [InlineData("/opt/k")]
    [InlineData("/usr/local")]
    [InlineData("/usr")]
    [InlineData("/opt/kata")]
    public void Load_InstalledBelowAKnownPrefix_IsUsed(string prefix)
    {
        MemoryFiles files = new MemoryFiles()
            .With($"{prefix}/share/kata-containers/vmlinuz.container", "")
            .With($"{prefix}/share/kata-containers/kata-containers-initrd.img", "")
            .With($"{prefix}/libexec/kata-containers/virtiofsd/virtiofsd", "").With("/usr/libexec/virtiofsd", "")
            .With($"{prefix}/share/defaults/kata-containers/configuration.toml", "[hypervisor.qemu]\ndefault_memory = 1000\n");

        KataConfiguration configuration = KataConfiguration.Load(files.Sources());

        Assert.Equal($"{prefix}/share/kata-containers/vmlinuz.container", configuration.Hypervisor.KernelPath);
        Assert.Equal($"{prefix}/share/kata-containers/kata-containers-initrd.img", configuration.Hypervisor.InitrdPath);
        Assert.Equal($"{prefix}/libexec/kata-containers/virtiofsd/virtiofsd", configuration.Hypervisor.VirtioFsDaemonPath);
        Assert.Equal($"{prefix}/share/defaults/kata-containers/configuration.toml", configuration.Path);
    }

    [Fact]
    public void SearchPaths_OfAnInstallation_AreTheAdministratorsThenItsOwnThenTheKnownOnes() =>
        Assert.Equal(
            [
                "/etc/kata-containers/configuration.toml", "/usr/local/share/defaults/kata-containers/configuration.toml",
                "/usr/share/defaults/kata-containers/configuration.toml", "/opt/kata/share/defaults/kata-containers/configuration.toml",
            ],
            (new MemoryFiles().Sources() with { InstallPrefix = "/usr/local" }).SearchPaths);

    // Debian 12's own loses data that the other keeps: who installed the other wants it.
    [Fact]
    public void Load_BothFileServersThere_TheRustOneIsUsed()
    {
        MemoryFiles files = new MemoryFiles().With("/usr/lib/qemu/virtiofsd", "").With("/usr/libexec/virtiofsd", "");

        Assert.Equal("/usr/libexec/virtiofsd", KataConfiguration.Load(files.Sources()).Hypervisor.VirtioFsDaemonPath);
    }

    [Fact]
    public void Load_Kata1File_Works()
    {
        KataConfiguration configuration = MemoryFiles.Load(Golden("kata-1.x-qemu.toml"));

        Assert.Empty(configuration.Warnings);
        Assert.Equal("/usr/share/kata-containers/kata-containers.img", configuration.Hypervisor.ImagePath);
        Assert.Null(configuration.Hypervisor.InitrdPath);
        Assert.Equal("virtio-fs", configuration.Hypervisor.SharedFs);
        Assert.EndsWith(
            "hypervisor.shared_fs holds \"virtio-9p\", which is read as \"virtio-fs\"",
            Assert.Single(configuration.ReadAs),
            StringComparison.Ordinal);
        Assert.Equal(["--thread-pool-size=1"], configuration.Hypervisor.VirtioFsExtraArguments);
        Assert.True(configuration.Hypervisor.EnableDebug);
        Assert.True(configuration.Runtime.DisableGuestSeccomp);
        Assert.Equal(2, configuration.Agent.KernelModules.Count);
        Assert.Equal("/etc/kata-containers/configuration.toml:6", configuration.OriginOf("hypervisor.machine_type").ToString());
        Assert.Contains(configuration.WithoutEffect, item =>
            item.Key == "hypervisor.block_device_driver" && item.Value.ToString() == "\"virtio-scsi\"");
    }

    [Fact]
    public void Load_Kata4File_Works()
    {
        KataConfiguration configuration = MemoryFiles.Load(Golden("kata-4.x-qemu.toml"));

        Assert.Empty(configuration.Warnings);
        Assert.Equal(2, configuration.Hypervisor.DefaultVcpus);
        Assert.Equal(TimeSpan.FromSeconds(45), configuration.Agent.DialTimeout);
        Assert.Contains(configuration.WithoutEffect, item => item.Key == "agent.mem_agent");
    }

    [Fact]
    public void Load_DropIns_ApplyInOrderOfTheirNames()
    {
        MemoryFiles files = new MemoryFiles()
            .With(MemoryFiles.Main, "[hypervisor.qemu]\ndefault_memory = 512\ndefault_vcpus = 2\n")
            .With("/etc/kata-containers/config.d/20-b.toml", "\n\n[hypervisor.qemu]\ndefault_memory = 2000\n")
            .With("/etc/kata-containers/config.d/10-a.toml", "[hypervisor.qemu]\ndefault_memory = 1000\nkernel_params = 'a'")
            .With("/etc/kata-containers/config.d/30-c.toml.bak", "garbage")
            .With("/etc/kata-containers/config.d/.40-d.toml", "garbage");

        KataConfiguration configuration = KataConfiguration.Load(files.Sources());

        Assert.Equal(
            (2000L, 2, "a"),
            (configuration.Hypervisor.MemoryMib, configuration.Hypervisor.DefaultVcpus, configuration.Hypervisor.KernelParameters));
        Assert.Equal("/etc/kata-containers/config.d/20-b.toml:4", configuration.OriginOf("hypervisor.default_memory").ToString());
        Assert.Equal(["10-a.toml", "20-b.toml"], configuration.DropIns.Select(Path.GetFileName));
    }

    [Fact]
    public void Load_SearchOrder_TakesTheFirstAndResolvesLinks()
    {
        MemoryFiles files = new MemoryFiles()
            .With("/usr/share/defaults/kata-containers/configuration.toml", "[hypervisor.qemu]\ndefault_memory = 1000")
            .With("/opt/real/q.toml", "[hypervisor.qemu]\ndefault_memory = 700")
            .With("/opt/real/config.d/x.toml", "[kata]\nboot_timeout = 1.5");
        Assert.Equal(1000, KataConfiguration.Load(files.Sources()).Hypervisor.MemoryMib);

        files.Links[MemoryFiles.Main] = "/opt/real/q.toml";
        KataConfiguration configuration = KataConfiguration.Load(files.Sources());

        Assert.Equal(("/opt/real/q.toml", 700L), (configuration.Path, configuration.Hypervisor.MemoryMib));
        Assert.Equal(TimeSpan.FromSeconds(1.5), configuration.Limits.BootTimeout);
    }

    [Fact]
    public void Load_ExplicitFileMissing_IsAnErrorEvenIfOthersExist()
    {
        ConfigurationSources sources = new MemoryFiles().With(MemoryFiles.Main, "").Sources() with { ExplicitPath = "/x.toml" };
        Assert.Equal(
            "Cannot use the configuration '/x.toml': there is no such file. Correct --kata-config or KATA_CONF_FILE, or leave it out",
            Assert.Throws<ConfigurationException>(() => KataConfiguration.Load(sources)).Message);
    }

    [Fact]
    public void Load_UnreadableFile_IsAnErrorNotASearch()
    {
        MemoryFiles files = new();
        files.Unreadable.Add(MemoryFiles.Main);

        Assert.Contains(
            "it cannot be read",
            Assert.Throws<ConfigurationException>(() => KataConfiguration.Load(files.Sources())).Message,
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("-1", 8)]
    [InlineData("0", 1)]
    [InlineData("1", 1)]
    [InlineData("1.5", 2)]
    [InlineData("-0.5", 1)]
    [InlineData("8", 8)]
    [InlineData("9", 8)]
    [InlineData("2147483647", 8)]
    [InlineData("-2147483648", 8)]
    public void Load_DefaultVcpus_FollowsKatasRules(string value, int expected) =>
        Assert.Equal(expected, MemoryFiles.Load($"[hypervisor.qemu]\ndefault_vcpus = {value}", cpus: 8).Hypervisor.DefaultVcpus);

    [Theory]
    [InlineData("0.5", 0.5)]
    [InlineData("1.25", 1.25)]
    [InlineData("-1", 8)]
    [InlineData("0", 1)]
    public void Load_DefaultVcpus_KeepsTheFraction(string value, double expected) =>
        Assert.Equal(expected, MemoryFiles.Load($"[hypervisor.qemu]\ndefault_vcpus = {value}", cpus: 8).Hypervisor.Vcpus);

    [Theory]
    [InlineData("", 4096)]
    [InlineData("default_maxmemory = 0", 4096)]
    [InlineData("default_maxmemory = 3000", 3000)]
    [InlineData("default_maxmemory = 9000", 4096)]
    [InlineData("default_memory = 6000", 6000)] // a host gives memory as it is used
    public void Load_MaxMemory_IsBoundedByTheHost(string line, long expected)
    {
        MemoryFiles files = new MemoryFiles().With(MemoryFiles.Main, $"[hypervisor.qemu]\n{line}\n");
        Assert.Equal(expected, KataConfiguration.Load(files.Sources() with { HostMemoryMib = 4096 }).Hypervisor.MaxMemoryMib);
    }

    [Fact]
    public void Load_MaxMemoryBelowTheMemory_IsRefused() => Assert.Contains(
        "hypervisor.default_maxmemory holds 1000, below default_memory, which is 2048. Raise it",
        MemoryFiles.Refused("[hypervisor.qemu]\ndefault_maxmemory = 1000"),
        StringComparison.Ordinal);

    [Theory]
    [InlineData(0, 8, 8)]
    [InlineData(3, 8, 3)]
    [InlineData(99, 8, 8)]
    [InlineData(0, 1000, 240)]
    public void Load_MaxVcpus_IsBoundedByHostAndMachine(int value, int cpus, int expected) =>
        Assert.Equal(expected, MemoryFiles.Load($"[hypervisor.qemu]\ndefault_maxvcpus = {value}", cpus).Hypervisor.MaxVcpus);

    [Fact]
    public void Load_Image_ReplacesTheBuiltInInitrd()
    {
        HypervisorConfig hypervisor = MemoryFiles.Load("[hypervisor.qemu]\nimage = '/i'\ninitrd = ''").Hypervisor;

        Assert.Equal(("/i", null), (hypervisor.ImagePath, hypervisor.InitrdPath));
    }

    [Theory]
    [InlineData(
        "[hypervisor.qemu]\ndefault_vcpu = 1",
        "the key 'hypervisor.qemu.default_vcpu' is not known and has no effect. Did you mean 'default_vcpus'?")]
    [InlineData("[hypervisor.qemu]\nzzzzzzzzzzzzzzz = 1", "the key 'hypervisor.qemu.zzzzzzzzzzzzzzz' is not known and has no effect")]
    [InlineData("[runtme]\nenable_debug = true", "the table 'runtme.enable_debug' is not known and has no effect. Did you mean 'runtime'?")]
    [InlineData("[hypervisor.qemu.nope]\nx = 1", "the table 'hypervisor.qemu.nope.x' is not known and has no effect")]
    [InlineData("enable_debug = true", "the table 'enable_debug' is not known and has no effect")]
    public void Load_UnknownKey_WarnsWithTheNearestName(string toml, string warning)
    {
        string line = toml.StartsWith("enable", StringComparison.Ordinal) ? "1" : "2";

        Assert.Equal([$"/etc/kata-containers/configuration.toml:{line}: {warning}"], MemoryFiles.Load(toml).Warnings);
    }

    [Theory]
    [InlineData("hypervisor.qemu.default_vcpus = 2")]
    [InlineData("[hypervisor]\nqemu.default_vcpus = 2")]
    [InlineData("[hypervisor]\nqemu = { default_vcpus = 2 }")]
    [InlineData("[\"hypervisor\".'qemu']\n\"default_vcpus\" = 2 # two")]
    [InlineData("\uFEFF[hypervisor.qemu]\r\ndefault_vcpus = 0x2\r\n")]
    public void Load_AnyWayToWriteATable_IsTheSame(string toml)
    {
        KataConfiguration configuration = MemoryFiles.Load(toml);

        Assert.Equal((2, 0), (configuration.Hypervisor.DefaultVcpus, configuration.Warnings.Count));
    }

    [Fact]
    public void Load_HypervisorName_ChoosesAmongSeveral()
    {
        const string Two = "[hypervisor.qemu]\ndefault_memory = 300\n[hypervisor.clh]\ndefault_memory = 400\n";

        Assert.Contains("Keep one, or choose with runtime.hypervisor_name", MemoryFiles.Refused(Two), StringComparison.Ordinal);
        HypervisorConfig hypervisor = MemoryFiles.Load(Two + "[runtime]\nhypervisor_name = \"clh\"").Hypervisor;
        Assert.Equal(("clh", 400L), (hypervisor.Name, hypervisor.MemoryMib));
    }

    [Fact]
    public void Resolve_HostLinks_AreFollowedInEveryDirectory()
    {
        string directory = HostFiles.Instance.Resolve(Directory.CreateTempSubdirectory("kata-files-").FullName);
        try
        {
            Directory.CreateDirectory($"{directory}/real/sub");
            File.WriteAllText($"{directory}/real/sub/f", "12345");
            File.CreateSymbolicLink($"{directory}/dir", "real/sub");
            File.CreateSymbolicLink($"{directory}/abs", $"{directory}/dir/../sub/f");
            File.CreateSymbolicLink($"{directory}/loop", "loop");

            Assert.Equal($"{directory}/real/sub/f", HostFiles.Instance.Resolve($"{directory}/dir/f"));
            Assert.Equal($"{directory}/loop", HostFiles.Instance.Resolve($"{directory}/loop"));
            Assert.Equal($"{directory}/none/x", HostFiles.Instance.Resolve($"{directory}/none/x"));
            Assert.Equal("12345", Encoding.UTF8.GetString(HostFiles.Instance.Read($"{directory}/dir/f", 5)!));
            Assert.Throws<IOException>(() => HostFiles.Instance.Read($"{directory}/dir/f", 4));
            Assert.Throws<IOException>(() => HostFiles.Instance.Read(directory, 4));
            Assert.Null(HostFiles.Instance.Read($"{directory}/none/x", 4));
            Assert.Empty(HostFiles.Instance.List($"{directory}/none"));
            Assert.Equal(["f"], HostFiles.Instance.List($"{directory}/dir").Select(Path.GetFileName));
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    private static string Golden(string name) => File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Golden", name));
}
