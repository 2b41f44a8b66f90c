using System.Text;
using CsCheck;

namespace Kata.Configuration.Tests;

public sealed class ConfigurationErrorTests
{
    [Theory]
    [InlineData(
        "default_memory = \"2G\"", "hypervisor.qemu.default_memory holds \"2G\". It must be a whole number from 256 to 16777216, in MiB")]
    [InlineData("default_memory = 0", "hypervisor.qemu.default_memory holds 0. It must be a whole number from 256 to 16777216, in MiB")]
    [InlineData("default_memory = 255", "hypervisor.qemu.default_memory holds 255. It must be a whole number from 256 to 16777216, in MiB")]
    [InlineData("default_memory = -1", "hypervisor.qemu.default_memory holds -1. It must be a whole number from 256 to 16777216, in MiB")]
    [InlineData(
        "default_memory = 1024.0", "hypervisor.qemu.default_memory holds 1024.0. It must be a whole number from 256 to 16777216, in MiB")]
    [InlineData("default_vcpus = nan", "hypervisor.qemu.default_vcpus holds nan. It must be a number from -2147483648 to 2147483647")]
    [InlineData("default_vcpus = inf", "hypervisor.qemu.default_vcpus holds inf. It must be a number from -2147483648 to 2147483647")]
    [InlineData(
        "shared_fs = \"nfs\"",
        "hypervisor.qemu.shared_fs holds \"nfs\". "
        + "It must be one of \"virtio-fs\", \"virtio-9p\", \"virtio-fs-nydus\", \"inline-virtio-fs\", \"none\"")]
    [InlineData("enable_debug = 1", "hypervisor.qemu.enable_debug holds 1. It must be true or false")]
    [InlineData("enable_debug = \"true\"", "hypervisor.qemu.enable_debug holds \"true\". It must be true or false")]
    [InlineData("virtio_fs_extra_args = \"-o x\"", "hypervisor.qemu.virtio_fs_extra_args holds \"-o x\". It must be an array of strings")]
    [InlineData(
        "virtio_fs_extra_args = [\"a\", 1]", "hypervisor.qemu.virtio_fs_extra_args holds [\"a\", 1]. It must be an array of strings")]
    [InlineData("kernel = \"vmlinuz\"", "hypervisor.kernel holds \"vmlinuz\". It must be an absolute path")]
    [InlineData("kernel = \"/a\\u0000\"", "hypervisor.qemu.kernel holds \"/a\\u0000\". It must be a string")]
    [InlineData(
        "kernel_params = \"a\\nb\"", "hypervisor.kernel_params holds \"a\\u000Ab\". It must be one line without control characters")]
    [InlineData("kernel = 1979-05-27", "hypervisor.qemu.kernel holds 1979-05-27. It must be a string")]
    [InlineData(
        "confidential_guest = true",
        "hypervisor.qemu.confidential_guest holds true. This protection is not available yet; only false is allowed")]
    [InlineData(
        "kernel_verity_params = \"x\"",
        "hypervisor.qemu.kernel_verity_params holds \"x\". This protection is not available yet; only \"\" is allowed")]
    [InlineData(
        "enable_annotations = [\"(\"]",
        "hypervisor.enable_annotations holds \"(\": '(' at 1 has no matching ')'. Correct the regular expression")]
    [InlineData(
        "default_vcpus = 3\ndefault_maxvcpus = 2",
        "hypervisor.default_maxvcpus holds 2, below default_vcpus, which is 3. Raise it, or set it to 0 for all of the host's",
        3)]
    [InlineData(
        "image = '/i'\ninitrd = '/r'",
        "both initrd and image are set, the latter in /etc/kata-containers/configuration.toml:2. "
        + "Set only one of them, or the other one to \"\"",
        3)]
    public void Load_WrongValue_HasFileLineValueAndWhatIsAllowed(string line, string text, int number = 2) =>
        Assert.Equal(
            $"Cannot use the configuration '/etc/kata-containers/configuration.toml:{number}': {text}",
            MemoryFiles.Refused("[hypervisor.qemu]\n" + line));

    [Theory]
    [InlineData("[kata]\nboot_timeout = 0", "kata.boot_timeout holds 0. It must be a number from 0.1 to 86400, in seconds")]
    [InlineData("[kata]\njail_user = 0", "kata.jail_user holds 0. It must be a whole number from 1 to 4294967294")]
    [InlineData("[runtime]\ninternetworking_model = \"bridge\"", "It must be one of \"tcfilter\", \"macvtap\", \"bridged\", ")]
    [InlineData("[hypervisor.vbox]\npath = \"/x\"", "[hypervisor.vbox] is no known hypervisor. It must be one of qemu, clh,")]
    [InlineData("[runtime]\nhypervisor_name = \"vbox\"", "runtime.hypervisor_name holds \"vbox\". It must be one of qemu,")]
    public void Load_WrongValueElsewhere_SaysWhatIsAllowed(string toml, string text) =>
        Assert.Contains(text, MemoryFiles.Refused(toml), StringComparison.Ordinal);

    [Theory]
    [InlineData("[hypervisor.qemu]\npath = ", 2)]
    [InlineData("\n\n[hypervisor.qemu", 3)]
    [InlineData("a = 1\nb = 2\na = 3", 3)]
    [InlineData("[kata]\n[kata]", 2)]
    [InlineData("x = \"\0\"", 1)]
    [InlineData("= 1", 1)]
    [InlineData("a = 'b", 1)]
    [InlineData("\"\\uD800\" = 1", 1)]
    [InlineData("b = 1\n\"\\", 2)]
    [InlineData("a = \"\\u12", 1)]
    [InlineData("b = 1\na = \"\"\"\n\\", 3)]
    public void Load_NotToml_NamesTheLine(string toml, int line)
    {
        string message = MemoryFiles.Refused(toml);

        Assert.StartsWith(
            $"Cannot use the configuration '/etc/kata-containers/configuration.toml:{line}': it is not TOML: ",
            message,
            StringComparison.Ordinal);
        Assert.EndsWith(". Correct that line", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_InvalidUtf8_NamesTheLine() =>
        Assert.Equal(
            "Cannot use the configuration 'f:2': it is not UTF-8. Save the file as UTF-8",
            Assert.Throws<ConfigurationException>(() => TomlReader.Read([(byte)'#', (byte)'\n', 0xFF], "f")).Message);

    [Fact]
    public void Read_TooLarge_SaysTheLimit() =>
        Assert.Contains(
            "At most 262144 bytes are read",
            Assert.Throws<ConfigurationException>(() => TomlReader.Read(new byte[TomlReader.MaxBytes + 1], "f")).Message,
            StringComparison.Ordinal);

    [Theory]
    [InlineData("a = ", "[")]
    [InlineData("", "[")]
    [InlineData("a = ", "[\"]\",")]
    [InlineData("a = ", "{a=")]
    [InlineData("", "a.")]
    [InlineData("[", "a.")]
    public void Read_DeepNesting_EndsInAnErrorNotInACrash(string start, string repeated)
    {
        string toml = start + string.Concat(Enumerable.Repeat(repeated, 100_000));

        Assert.Throws<ConfigurationException>(() => TomlReader.Read(Encoding.UTF8.GetBytes(toml), "f"));
    }

    [Fact]
    public void Read_AnyMutationOfAGoodFile_ThrowsOnlyConfigurationException()
    {
        byte[] golden = File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "Golden", "kata-4.x-qemu.toml"));
        Gen.Select(Gen.Int[0, golden.Length - 1], Gen.Byte, Gen.Int[0, golden.Length]).Sample(
            (index, value, length) =>
            {
                byte[] text = golden.AsSpan(0, length).ToArray();
                if (index < length)
                    text[index] = value;
                try
                {
                    MemoryFiles files = new();
                    files.Files[MemoryFiles.Main] = text;
                    KataConfiguration.Load(files.Sources());
                }
                catch (ConfigurationException)
                {
                }
            },
            iter: 2000);
    }
}
