using Kata.Testing;

namespace Kata.Agent.Tests;

/// <summary>A directory that stands for /sys, with block devices as the kernel shows them.</summary>
internal sealed class FakeSys : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public string Path => _directory.Path;

    public void Dispose() => _directory.Dispose();

    /// <param name="name">Such as <c>vda</c>.</param>
    /// <param name="device">The device that has the disk, below /sys/devices.</param>
    /// <param name="serial">The bytes of its serial number's file, or null when it has none.</param>
    /// <param name="number">Its number, or what is there in its place.</param>
    public void AddDisk(string name, string device, byte[]? serial = null, string number = "254:0")
    {
        string disk = $"devices/{device}/block/{name}";
        Directory.CreateDirectory(_directory.File(disk));
        File.WriteAllText(_directory.File($"{disk}/dev"), number + "\n");
        if (serial is not null)
        {
            File.WriteAllBytes(_directory.File($"{disk}/serial"), serial);
        }

        Link("block", name, disk);
        Link("class/block", name, disk);
    }

    public void AddPartition(string disk, string name, string device)
    {
        string partition = $"devices/{device}/block/{disk}/{name}";
        Directory.CreateDirectory(_directory.File(partition));
        Link("class/block", name, partition);
    }

    private void Link(string directory, string name, string target)
    {
        Directory.CreateDirectory(_directory.File(directory));
        string up = string.Concat(Enumerable.Repeat("../", directory.Count(static c => c == '/') + 1));
        File.CreateSymbolicLink(_directory.File($"{directory}/{name}"), up + target);
    }
}
