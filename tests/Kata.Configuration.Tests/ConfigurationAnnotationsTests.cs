using Kata.Oci;

namespace Kata.Configuration.Tests;

public sealed class ConfigurationAnnotationsTests
{
    private const string Hypervisor = "io.katacontainers.config.hypervisor.";

    [Fact]
    public void Apply_None_GivesTheSameConfiguration()
    {
        KataConfiguration configuration = MemoryFiles.Load("");

        Assert.Same(configuration, ConfigurationAnnotations.Apply(configuration, null));
        Assert.Same(configuration, ConfigurationAnnotations.Apply(configuration, new Dictionary<string, string> { ["a"] = "b" }));
    }

    [Fact]
    public void Apply_Enabled_ChangesTheValueAndItsOrigin()
    {
        KataConfiguration applied = Apply(
            "default_.*\", \"kernel_params",
            ("hypervisor.default_memory", "512"), ("hypervisor.default_vcpus", "1.5"), ("hypervisor.default_max_vcpus", "3"),
            ("hypervisor.kernel_params", "a b"), ("runtime.disable_guest_seccomp", "T"), ("agent.kernel_modules", "a x=1; b"),
            ("runtime.create_container_timeout", "7"));

        HypervisorConfig hypervisor = applied.Hypervisor;
        Assert.Equal(
            (512L, 2, 3, "a b"),
            (hypervisor.MemoryMib, hypervisor.DefaultVcpus, hypervisor.MaxVcpus, hypervisor.KernelParameters));
        Assert.True(applied.Runtime.DisableGuestSeccomp);
        Assert.Equal(["a x=1", "b"], applied.Agent.KernelModules);
        Assert.Equal(TimeSpan.FromSeconds(7), applied.Runtime.CreateContainerTimeout);
        Assert.Equal($"annotation {Hypervisor}default_memory", applied.OriginOf("hypervisor.default_memory").ToString());
    }

    [Fact]
    public void Apply_NotEnabled_NamesTheKeyAndWhatToDo()
    {
        var exception = Assert.Throws<InvalidSpecException>(() => Apply("^default_memory$", ("hypervisor.default_memory2", "1")));

        Assert.Equal(
            $"Cannot use the specification: /annotations/{Hypervisor}default_memory2: "
            + $"annotation {Hypervisor}default_memory2 is not enabled. "
            + "Remove it from the pod, or add \"^default_memory2$\" to enable_annotations in [hypervisor.qemu] "
            + "of '/etc/kata-containers/configuration.toml'",
            exception.Message);
    }

    [Theory]
    [InlineData("hypervisor.seccompsandbox", "off")]
    [InlineData("hypervisor.enable_annotations", ".*")]
    [InlineData("hypervisor.valid_hypervisor_paths", "/*")]
    [InlineData("hypervisor.kernel_hash", "00")]
    public void Apply_NeverTaken_IsRefusedEvenWhenEverythingIsEnabled(string name, string value) =>
        Assert.Contains(
            "is never taken", Assert.Throws<InvalidSpecException>(() => Apply(".*", (name, value))).Message, StringComparison.Ordinal);

    [Fact]
    public void Apply_Rates_AreTakenWhereTheyAreEnabled()
    {
        HypervisorConfig applied = Apply(
            "^[rt]x_rate_limiter_max_rate$",
            ("hypervisor.rx_rate_limiter_max_rate", "16000000"), ("hypervisor.tx_rate_limiter_max_rate", "9000000000000")).Hypervisor;
        Assert.Equal((16_000_000, 9_000_000_000_000), (applied.ReceiveBitsPerSecond, applied.SendBitsPerSecond));
    }

    [Fact]
    public void Apply_DaemonArguments_AreTakenWhereTheyAreEnabled()
    {
        const string Value = "[\"--thread-pool-size=1\", \"-o\", \"a b\"]";
        Assert.Equal(
            ["--thread-pool-size=1", "-o", "a b"],
            Apply("^virtio_fs_extra_args$", ("hypervisor.virtio_fs_extra_args", Value)).Hypervisor.VirtioFsExtraArguments);
        Assert.Contains(
            "is not enabled",
            Assert.Throws<InvalidSpecException>(() => Apply("^default_memory$", ("hypervisor.virtio_fs_extra_args", Value))).Message,
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("-o x")]
    [InlineData("[1]")]
    [InlineData("[\"a\"")]
    [InlineData("{}")]
    public void Apply_DaemonArgumentsAreNoArray_IsRefused(string value) =>
        Assert.Contains(
            "must be an array of strings",
            Assert.Throws<InvalidSpecException>(() => Apply(".*", ("hypervisor.virtio_fs_extra_args", value))).Message,
            StringComparison.Ordinal);

    [Theory]
    [InlineData("hypervisor.default_memory", "255", "from 256 to")]
    [InlineData("hypervisor.default_memory", "", "from 256 to")]
    [InlineData("hypervisor.default_memory", "1e9", "from 256 to")]
    [InlineData("hypervisor.default_memory", "99999999999999999999", "from 256 to")]
    [InlineData("hypervisor.default_vcpus", "5", "at most 4, the processors of the host")]
    [InlineData("hypervisor.default_vcpus", "-1", "at most 4, the processors of the host")]
    [InlineData("hypervisor.default_vcpus", "0", "at most 4, the processors of the host")]
    [InlineData("hypervisor.default_max_vcpus", "5", "at most 4, the processors of the host")]
    [InlineData("hypervisor.shared_fs", "nfs", "one of \"virtio-fs\"")]
    [InlineData("hypervisor.kernel", "vmlinuz", "absolute path")]
    [InlineData("hypervisor.kernel", "/a\0", "a string")]
    [InlineData("hypervisor.kernel_params", "a\nb", "one line without control characters")]
    [InlineData("hypervisor.path", "/usr/bin/evil", "add the path to valid_hypervisor_paths")]
    [InlineData("hypervisor.virtio_fs_daemon", "", "add the path to valid_virtio_fs_daemon_paths")]
    [InlineData("hypervisor.entropy_source", "/dev/zero", "/dev/urandom, /dev/random")]
    [InlineData("hypervisor.rx_rate_limiter_max_rate", "-1", "from 0 on, in bits per second")]
    [InlineData("hypervisor.tx_rate_limiter_max_rate", "10mbit", "from 0 on, in bits per second")]
    [InlineData("hypervisor.cc_init_data", "x", "not available yet")]
    [InlineData("runtime.disable_guest_seccomp", "yes", "true or false")]
    [InlineData("runtime.create_container_timeout", "0", "from 0.1 to")]
    [InlineData("runtime.internetworking_model", "bridge", "one of \"tcfilter\"")]
    public void Apply_WrongValue_SaysWhatIsAllowed(string name, string value, string remedy)
    {
        var exception = Assert.Throws<InvalidSpecException>(() => Apply(".*", (name, value)));

        Assert.Contains(remedy, $"{exception.Message}: {exception.InnerException?.Message}", StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("hypervisor.block_device_driver", "virtio-blk", "has no effect")]
    [InlineData("hypervisor.no_such_thing", "x", "is not known and has no effect")]
    [InlineData("runtime.enable_debug", "true", "has no effect")]
    [InlineData("kata.jail_user", "1", "has no effect")]
    [InlineData("kata.boot_timeout", "1", "has no effect")]
    public void Apply_WithoutEffect_WarnsAndChangesNothing(string name, string value, string warning)
    {
        KataConfiguration applied = Apply(".*", (name, value));

        Assert.Contains(warning, Assert.Single(applied.Warnings), StringComparison.Ordinal);
        Assert.False(applied.Runtime.EnableDebug);
        Assert.Equal(65534u, applied.Limits.JailUser);
        Assert.Equal(TimeSpan.FromSeconds(60), applied.Limits.BootTimeout);
    }

    [Fact]
    public void Apply_Image_ReplacesTheConfiguredInitrdAndTheOtherWayRound()
    {
        KataConfiguration initrd = MemoryFiles.Load("[hypervisor.qemu]\nenable_annotations = ['.']\ninitrd = '/r'");
        HypervisorConfig image =
            ConfigurationAnnotations.Apply(initrd, new Dictionary<string, string> { [Hypervisor + "image"] = "/i" }).Hypervisor;
        Assert.Equal(("/i", null), (image.ImagePath, image.InitrdPath));

        Assert.Throws<InvalidSpecException>(() => Apply(".", ("hypervisor.image", "/i"), ("hypervisor.initrd", "/r")));
    }

    [Theory]
    [InlineData("/usr/bin/qemu-a", true)]
    [InlineData("/usr/bin/../bin/qemu-a", true)]
    [InlineData("/usr/bin/qemu-a/../../../tmp/x", false)]
    [InlineData("/usr/bin/qemu-d/x", false)]
    [InlineData("/usr/bin/qemu-link-to-tmp", false)]
    [InlineData("/opt/exact-link", true)]
    [InlineData("/opt/real", true)]
    [InlineData("/usr/bin/Qemu-a", false)]
    [InlineData("usr/bin/qemu-a", false)]
    public void Apply_BoundedPath_MatchesAfterLinksAreFollowed(string path, bool allowed)
    {
        MemoryFiles files = new MemoryFiles().With(
            MemoryFiles.Main,
            "[hypervisor.qemu]\nenable_annotations = ['path']\nvalid_hypervisor_paths = ['/usr/bin/qemu-*', '/opt/exact-link']");
        files.Links["/usr/bin/qemu-link-to-tmp"] = "/tmp/x";
        files.Links["/opt/exact-link"] = "/opt/real";
        KataConfiguration configuration = KataConfiguration.Load(files.Sources());
        var annotations = new Dictionary<string, string> { [Hypervisor + "path"] = path };

        if (allowed)
            Assert.Equal(path, ConfigurationAnnotations.Apply(configuration, annotations).Hypervisor.Path);
        else
            Assert.Throws<InvalidSpecException>(() => ConfigurationAnnotations.Apply(configuration, annotations));
    }

    private static KataConfiguration Apply(string enabled, params (string Name, string Value)[] annotations) =>
        ConfigurationAnnotations.Apply(
            MemoryFiles.Load($"[hypervisor.qemu]\nenable_annotations = [\"{enabled}\"]"),
            annotations.ToDictionary(item => "io.katacontainers.config." + item.Name, item => item.Value));
}
