using Kata.Integration.Tests.Harness;
using Kata.Integration.Tests.Storage;

namespace Kata.Integration.Tests.Containers;

/// <summary>A pod whose files the Rust virtiofsd serves.</summary>
public sealed class RustPodFixture : PodFixture
{
    /// <summary>Why there is none, or null.</summary>
    internal string? NoDaemon { get; private set; }

    private protected override async Task PrepareAsync()
    {
        (string path, NoDaemon) = await FileServerFixture.DaemonAsync(FileServerFixture.Rust);
        if (NoDaemon is null)
        {
            string text = await File.ReadAllTextAsync(ConfigurationFile);
            await File.WriteAllTextAsync(ConfigurationFile, text.Replace("[hypervisor.qemu]\n", $"[hypervisor.qemu]\nvirtio_fs_daemon = \"{path}\"\n", StringComparison.Ordinal));
            await base.PrepareAsync();
        }
    }
}
