using Kata.Integration.Tests.Storage;

namespace Kata.Integration.Tests.Volumes;

/// <summary>A pod whose files QEMU's virtiofsd serves, Debian 12's own.</summary>
public sealed class QemuPodFixture : FileServerPodFixture
{
    private protected override string Daemon => FileServerFixture.C;
}
