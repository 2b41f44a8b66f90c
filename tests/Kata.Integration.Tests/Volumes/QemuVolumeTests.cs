using Kata.Integration.Tests.Harness;

namespace Kata.Integration.Tests.Volumes;

/// <summary>With QEMU's virtiofsd, Debian 12's own.</summary>
[Collection(ContainersGroup.Name)]
public sealed class QemuVolumeTests(QemuPodFixture pod) : VolumeTests(pod), IClassFixture<QemuPodFixture>;
