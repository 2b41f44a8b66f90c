using Kata.Integration.Tests.Harness;

namespace Kata.Integration.Tests.Containers;

/// <summary>With the virtiofsd of this system: on Debian 12 that of QEMU.</summary>
[Collection(ContainersGroup.Name)]
public sealed class QemuVolumeTests(PodFixture pod) : VolumeTests(pod), IClassFixture<PodFixture>;
