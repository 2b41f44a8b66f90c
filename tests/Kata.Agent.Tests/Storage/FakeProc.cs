using Kata.Testing;

namespace Kata.Agent.Tests;

/// <summary>A directory that stands for /proc.</summary>
internal sealed class FakeProc : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public string Path => _directory.Path;

    public void Dispose() => _directory.Dispose();

    /// <param name="process">Its number, or <c>self</c>.</param>
    /// <param name="mountNamespace">The number of its mount namespace.</param>
    /// <param name="mountinfo">Its mounts.</param>
    /// <param name="cgroup">Its control groups.</param>
    public void Add(string process, int mountNamespace, string mountinfo, string cgroup = "0::/agent")
    {
        Directory.CreateDirectory(_directory.File($"{process}/ns"));
        File.CreateSymbolicLink(_directory.File($"{process}/ns/mnt"), $"mnt:[{mountNamespace}]");
        File.WriteAllText(_directory.File($"{process}/mountinfo"), mountinfo + "\n");
        File.WriteAllText(_directory.File($"{process}/cgroup"), cgroup + "\n");
    }
}
