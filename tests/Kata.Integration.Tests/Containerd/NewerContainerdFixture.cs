using Kata.Integration.Tests.Harness;

namespace Kata.Integration.Tests.Containerd;

/// <summary>containerd of a newer Debian suite.</summary>
public abstract class NewerContainerdFixture(string suite) : ContainerdFixture
{
    private string _programs = "";

    /// <summary>Why it cannot be had here, or null.</summary>
    internal string? Missing { get; private set; }

    private protected override string Daemon => Path.Combine(_programs, "containerd");

    private protected override string Ctr => Path.Combine(_programs, "ctr");

    private protected override async Task PrepareAsync()
    {
        (string folder, Missing) = await DebianSuite.GetAsync(suite, "containerd", ["containerd", "libc6", "libseccomp2"], ["usr/bin/containerd", "usr/bin/ctr"]);
        _programs = Path.Combine(folder, "usr/bin");
        await base.PrepareAsync();
    }
}
