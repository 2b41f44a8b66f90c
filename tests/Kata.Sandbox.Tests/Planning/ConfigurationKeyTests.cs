using System.Collections;
using System.Globalization;
using System.Reflection;
using Kata.Configuration;
using Kata.Hypervisor;
using Kata.Network;
using Kata.Oci;
using Kata.Testing;

namespace Kata.Sandbox.Tests;

/// <summary>
/// No key is read by nothing: each, changed, changes what a pod is made by, or what its annotations may, or <c>config validate</c> names
/// its line. A key that is new in the schema is tested by being there.
/// </summary>
public sealed class ConfigurationKeyTests : IDisposable
{
    private const string Annotation = ConfigurationAnnotations.Prefix + "hypervisor.";
    private const string EnabledAnnotations = "enable_annotations = [\"^path$\", \"^virtio_fs_daemon$\", \"^entropy_source$\"]";

    /// <summary>Values of texts and lists that mean something; another key gets any.</summary>
    private static readonly Dictionary<string, string> s_values = new(StringComparer.Ordinal)
    {
        ["hypervisor.path"] = "\"/usr/bin/other\"",
        ["hypervisor.valid_hypervisor_paths"] = "[\"/annotated/*\"]",
        ["hypervisor.kernel"] = "\"/other/kernel\"",
        ["hypervisor.initrd"] = "\"/other/initrd\"",
        ["hypervisor.image"] = "\"/other/image\"",
        ["hypervisor.kernel_params"] = "\"other=1\"",
        ["hypervisor.default_vcpus"] = "3",
        ["hypervisor.default_maxvcpus"] = "2",
        ["hypervisor.default_memory"] = "512",
        ["hypervisor.default_maxmemory"] = "4096",
        ["hypervisor.virtio_fs_daemon"] = "\"/other/virtiofsd\"",
        ["hypervisor.valid_virtio_fs_daemon_paths"] = "[\"/annotated/*\"]",
        ["hypervisor.virtio_fs_extra_args"] = "[\"--other\"]",
        ["hypervisor.entropy_source"] = "\"/dev/hwrng\"",
        ["hypervisor.valid_entropy_sources"] = "[\"/annotated/*\"]",
        ["hypervisor.enable_annotations"] = "[\"^default_memory$\"]",
        ["hypervisor.seccompsandbox"] = "\"on\"",
        ["agent.kernel_modules"] = "[\"other\"]",
        ["runtime.hypervisor_name"] = "\"clh\"",
        ["factory.vm_cache_endpoint"] = "\"/other/cache.sock\"",
        ["kata.jail_user"] = "1000",
    };

    private readonly TemporaryDirectory _directory = new();

    public static TheoryData<string, string> Changes
    {
        get
        {
            var result = new TheoryData<string, string>();
            foreach (ConfigurationKey key in ConfigurationSchema.Keys)
            {
                foreach (string value in ValuesOf(key))
                {
                    result.Add(key.Id, value);
                }
            }

            return result;
        }
    }

    public void Dispose() => _directory.Dispose();

    [Theory]
    [MemberData(nameof(Changes))]
    public void Key_Changed_HasAnEffectOrIsNamed(string id, string value)
    {
        string changed = Write("changed.toml", id, value), plain = Write("plain.toml", id, null);
        if (ConfigurationValidator.Validate(Sources(changed), namedFiles: false) is { Count: > 0 } findings)
        {
            Assert.All(findings, finding => Assert.Contains($"{changed}:3", finding.Text, StringComparison.Ordinal));
            return;
        }

        Assert.NotEqual(Consumed(plain), Consumed(changed));
    }

    [Theory]
    [MemberData(nameof(Changes))]
    public void Key_LeftOut_IsNamedByNobody(string id, string value)
    {
        Assert.NotEmpty(value);
        Assert.Empty(ConfigurationValidator.Validate(Sources(Write("plain.toml", id, null)), namedFiles: false));
    }

    [Fact]
    public void KeptTables_Always_AreNamed()
    {
        foreach (string table in ConfigurationSchema.KeptTables)
        {
            string path = _directory.File("table.toml");
            string name = table.Replace("hypervisor.", "hypervisor.qemu.", StringComparison.Ordinal)
                .Replace("agent.", "agent.kata.", StringComparison.Ordinal);
            File.WriteAllText(path, $"[{name}]\nanything = 1\n");
            Assert.Contains(
                $"'{table}' is accepted and has no effect here",
                Assert.Single(ConfigurationValidator.Validate(Sources(path), namedFiles: false)).Text, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("virtio-9p")] // Kata 1.x's default
    [InlineData("inline-virtio-fs")]
    public void SharedFs_FilesByAnotherDriver_AreSharedByOurs(string value)
    {
        string path = Write("changed.toml", "hypervisor.shared_fs", $"\"{value}\"");
        ConfigurationFinding finding = Assert.Single(ConfigurationValidator.Validate(Sources(path), namedFiles: false));
        Assert.False(finding.IsError);
        Assert.EndsWith($"hypervisor.shared_fs holds \"{value}\", which is read as \"virtio-fs\"", finding.Text, StringComparison.Ordinal);
        Assert.Contains(finding.Text, Plan(KataConfiguration.Load(Sources(path))).Warnings);
    }

    [Theory]
    [InlineData("none")]
    [InlineData("virtio-fs-nydus")]
    public void SharedFs_SomethingElse_IsRefused(string value)
    {
        ConfigurationSources sources = Sources(Write("changed.toml", "hypervisor.shared_fs", $"\"{value}\""));
        ConfigurationException error = Assert.Throws<ConfigurationException>(() => Plan(KataConfiguration.Load(sources)));
        Assert.Contains("for which there is no driver yet", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("bridged")]
    [InlineData("enlightened")]
    public void InternetworkingModel_OfKataOne_IsReadAsTheFilters(string model)
    {
        string path = Write("changed.toml", "runtime.internetworking_model", $"\"{model}\"");
        ConfigurationFinding finding = Assert.Single(ConfigurationValidator.Validate(Sources(path), namedFiles: false));
        Assert.False(finding.IsError);
        Assert.EndsWith(
            $"runtime.internetworking_model holds \"{model}\", which is read as \"tcfilter\"", finding.Text, StringComparison.Ordinal);
        Assert.Equal(EndpointModel.TcFilter, Plan(KataConfiguration.Load(Sources(path))).Interfaces.Model);
    }

    [Theory]
    [InlineData("macvtap", "rx_rate_limiter_max_rate", true)]
    [InlineData("macvtap", "tx_rate_limiter_max_rate", false)]
    [InlineData("none", "rx_rate_limiter_max_rate", false)]
    [InlineData("none", "tx_rate_limiter_max_rate", true)]
    public void InternetworkingModel_ThatCannotKeepARate_IsRefused(string model, string key, bool refused)
    {
        string path = _directory.File("rate.toml");
        File.WriteAllText(path, $"[hypervisor.qemu]\n{key} = 8000\n[runtime]\ninternetworking_model = \"{model}\"\n");
        Exception? error = Record.Exception(() => Plan(KataConfiguration.Load(Sources(path))));
        if (!refused)
        {
            Assert.Null(error);
            return;
        }

        string text = Assert.IsType<ConfigurationException>(error).Message;
        Assert.Contains($"{path}:2", text, StringComparison.Ordinal);
        Assert.Contains($"hypervisor.{key} holds 8000, which the network model \"{model}\" cannot keep", text, StringComparison.Ordinal);
        Assert.Contains("Set runtime.internetworking_model to \"tcfilter\", or the rate to 0", text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("runtime.internetworking_model", "\"bridged\"")]
    [InlineData("hypervisor.virtio_fs_cache", "\"metadata\"")]
    public void ValueOfKataOne_Always_IsUsable(string id, string value) =>
        Assert.DoesNotContain(
            ConfigurationValidator.Validate(Sources(Write("changed.toml", id, value)), namedFiles: false),
            static finding => finding.IsError);

    private static IEnumerable<string> ValuesOf(ConfigurationKey key) => key switch
    {
        _ when s_values.TryGetValue(key.Id, out string? value) => [value],
        { Choices: { } choices } => choices.Where(choice => !choice.Equals(key.Default)).Select(static choice => $"\"{choice}\""),
        { Type: ConfigurationType.Flag } => [key.Default is true ? "false" : "true"],
        { Type: ConfigurationType.Whole or ConfigurationType.Number } => [Math.Max(key.Minimum, 7).ToString(CultureInfo.InvariantCulture)],
        { Type: ConfigurationType.TextList } => ["[\"any\"]"],
        _ => ["\"any\""],
    };

    // The key's own line is the third.
    private string Write(string name, string id, string? value)
    {
        string[] parts = id.Split('.');
        string table = parts[0] switch
        {
            "hypervisor" => "hypervisor.qemu",
            "agent" or "proxy" or "shim" => $"{parts[0]}.kata",
            _ => parts[0],
        };
        bool own = table == "hypervisor.qemu";
        string line = value is null ? "" : $"{parts[1]} = {value}";
        string enabled = id == "hypervisor.enable_annotations" ? "" : EnabledAnnotations;
        string path = _directory.File(name);
        File.WriteAllText(path, $"[{table}]\n{(own ? enabled : "")}\n{line}\n{(own ? "" : $"[hypervisor.qemu]\n{enabled}")}\n");
        return path;
    }

    private static ConfigurationSources Sources(string path) => new()
    {
        ExplicitPath = path,
        InstallPrefix = "/usr/local",
        HostCpuCount = 16,
        HostMemoryMib = 65_536,
    };

    // Where a pod's machine comes from, what a pod with limits is planned by, and what each annotation makes of it.
    private static string Consumed(string path)
    {
        var configuration = KataConfiguration.Load(Sources(path));
        string result = Dump(Plan(configuration)) + Dump(configuration.Factory);
        (string Option, string Value)[] annotated =
        [
            ("path", "/annotated/x"), ("virtio_fs_daemon", "/annotated/x"), ("entropy_source", "/annotated/x"), ("default_memory", "1024"),
        ];
        foreach ((string option, string value) in annotated)
        {
            try
            {
                var annotations = new Dictionary<string, string> { [Annotation + option] = value };
                result += Dump(Plan(ConfigurationAnnotations.Apply(configuration, annotations)));
            }
            catch (InvalidSpecException)
            {
                result += $"{option} is refused\n";
            }
        }

        return result;
    }

    private static SandboxPlan Plan(KataConfiguration configuration) => SandboxPlanner.Plan(
        SandboxId.Parse("pod1"),
        configuration,
        new AcceleratorChoice(Accelerator.Kvm, AgentTransport.Vsock, "because", null),
        new RuntimeSpec
        {
            OciVersion = "1.0.2",
            Linux = new LinuxSpec
            {
                CgroupsPath = "/mine",
                Resources = new LinuxResources
                {
                    Cpu = new LinuxCpu { Quota = 800_000, Period = 100_000 },
                    Memory = new LinuxMemory { Limit = 8L << 30 },
                },
            },
        },
        "/kata/pod1");

    // Every value of a plan, and of what it is made of.
    private static string Dump(object? value) => value switch
    {
        null => "-",
        string or Enum or TimeSpan => value.ToString()!,
        IEnumerable list => $"[{string.Join(' ', list.Cast<object?>().Select(Dump))}]",
        IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
        bool flag => flag.ToString(),
        _ => string.Concat(value.GetType().GetProperties(BindingFlags.Public | BindingFlags.Instance)
            .Select(property => $"{property.Name}={Dump(property.GetValue(value))}\n")),
    };
}
