using System.Globalization;
using System.Text;

namespace Kata.Integration.Tests.Harness;

/// <summary>
/// A pod whose configuration sets the keys that the runtime passes on to others, with little patience for the agent, and whose image has a
/// module that is none.
/// </summary>
public sealed class ConfiguredFixture : PodFixture
{
    /// <summary>In the image of either kernel, loaded neither by the kernel nor at boot; it needs others.</summary>
    internal const string NamedModule = "wireguard";

    /// <summary>How long the agent may take for an answer; a second is enough for all that it is asked here.</summary>
    internal const int PatienceSeconds = 30;

    internal string InitrdPath => Path.Combine(DirectoryPath, "initrd");

    private protected override async Task PrepareAsync()
    {
        await File.WriteAllBytesAsync(InitrdPath, await ImageWithABrokenModuleAsync());
        await File.WriteAllTextAsync(ConfigurationFile, Configuration(NamedModule));
        await base.PrepareAsync();
    }

    internal string Configuration(string module) => string.Create(CultureInfo.InvariantCulture,
        $"""
        [hypervisor.qemu]
        default_memory = 256
        initrd = "{InitrdPath}"
        entropy_source = "/dev/random"
        seccompsandbox = "on,obsolete=deny"
        virtio_fs_extra_args = ["--thread-pool-size=1"]
        [agent.kata]
        kernel_modules = ["{module}"]
        dial_timeout = 100
        [runtime]
        enable_debug = true
        create_container_timeout = 100
        [kata]
        boot_timeout = 240
        request_timeout = {PatienceSeconds}

        """);

    // The kernel unpacks one archive after the other (initramfs buffer format); one that is not compressed begins at a multiple of 4.
    private static async Task<byte[]> ImageWithABrokenModuleAsync()
    {
        string image = Path.Combine(Path.GetDirectoryName(RuntimePath!)!, "../share/kata-containers/kata-containers-initrd.img");
        byte[] archive = await File.ReadAllBytesAsync(image);
        return [.. archive, .. new byte[-archive.Length & 3], .. Archive(("usr/lib/modules/broken.ko", "no module at all"u8.ToArray()))];
    }

    // cpio(5), "newc".
    private static byte[] Archive(params (string Name, byte[] Content)[] files)
    {
        using var result = new MemoryStream();
        foreach ((string name, byte[] content) in files.Append(("TRAILER!!!", [])))
        {
            int mode = name == "TRAILER!!!" ? 0 : 0x81A4; // 0100644
            int[] fields = [0, mode, 0, 0, 1, 0, content.Length, 0, 0, 0, 0, name.Length + 1, 0];
            result.Write(Encoding.ASCII.GetBytes(
                "070701" + string.Concat(fields.Select(static field => field.ToString("X8", CultureInfo.InvariantCulture)))));
            result.Write(Encoding.ASCII.GetBytes(name + "\0"));
            Pad(result);
            result.Write(content);
            Pad(result);
        }

        return result.ToArray();
    }

    private static void Pad(MemoryStream stream)
    {
        while (stream.Length % 4 != 0)
        {
            stream.WriteByte(0);
        }
    }
}
