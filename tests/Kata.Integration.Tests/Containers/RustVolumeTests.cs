using Kata.Integration.Tests.Harness;

namespace Kata.Integration.Tests.Containers;

/// <summary>With the Rust virtiofsd, Debian 13's.</summary>
[Collection(ContainersGroup.Name)]
public sealed class RustVolumeTests : VolumeTests, IClassFixture<RustPodFixture>
{
    public RustVolumeTests(RustPodFixture pod)
        : base(pod) => Assert.SkipWhen(pod.NoDaemon is not null, pod.NoDaemon ?? "");
}
