using Kata.Integration.Tests.Harness;

namespace Kata.Integration.Tests.Volumes;

/// <summary>With the Rust virtiofsd, Debian 13's.</summary>
[Collection(ContainersGroup.Name)]
public sealed class RustVolumeTests(RustPodFixture pod) : VolumeTests(pod), IClassFixture<RustPodFixture>;
