using Kata.Integration.Tests.Harness;
using Kata.Integration.Tests.Storage;

namespace Kata.Integration.Tests.Volumes;

/// <summary>A pod with a virtiofsd that the test chooses.</summary>
public abstract class FileServerPodFixture : PodFixture
{
    /// <summary>Why it is not there, or null.</summary>
    internal string? NoDaemon { get; private set; }

    /// <summary>One of the two of <see cref="FileServerFixture"/>.</summary>
    private protected abstract string Daemon { get; }

    private protected override async Task PrepareAsync()
    {
        (string path, NoDaemon) = await FileServerFixture.DaemonAsync(Daemon);
        if (NoDaemon is null)
        {
            string text = await File.ReadAllTextAsync(ConfigurationFile);
            await File.WriteAllTextAsync(
                ConfigurationFile,
                text.Replace("[hypervisor.qemu]\n", $"[hypervisor.qemu]\nvirtio_fs_daemon = \"{path}\"\n", StringComparison.Ordinal));
            await base.PrepareAsync();
        }
    }
}
