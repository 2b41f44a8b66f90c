using Kata.Integration.Tests.Harness;

namespace Kata.Integration.Tests.Storages;

/// <summary>Images of disks, made by the host's own tools.</summary>
internal static class HostDisk
{
    /// <summary>An image with an empty ext4 file system, or with none.</summary>
    public static async Task<string> CreateAsync(string directory, string name = "disk.img", bool format = true, int mebibytes = 16)
    {
        string path = Path.Combine(directory, name);
        using (FileStream file = File.Create(path))
        {
            file.SetLength((long)mebibytes << 20);
        }

        if (format)
        {
            await RunAsync("/sbin/mkfs.ext4", "-q", path);
        }

        return path;
    }

    /// <summary>What a file on an image holds, read without the kernel: as it is on the disk.</summary>
    public static Task<string> ReadAsync(string image, string file) => RunAsync("/sbin/debugfs", "-R", $"cat {file}", image);

    /// <summary>Runs a program of the host and returns what it printed.</summary>
    public static async Task<string> RunAsync(string program, params string[] arguments)
    {
        using RunningCommand command = RunningCommand.Start(program, arguments);
        return (await command.FinishAsync(default, RuntimeFixture.Limit)).Ok().Text;
    }
}
