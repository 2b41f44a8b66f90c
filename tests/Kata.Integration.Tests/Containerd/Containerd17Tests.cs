namespace Kata.Integration.Tests.Containerd;

/// <summary>containerd 1.7, of Debian 13.</summary>
[Collection(Harness.ContainersGroup.Name)]
public sealed class Containerd17Tests(Containerd17Tests.Fixture fixture)
    : NewerContainerdTests(fixture), IClassFixture<Containerd17Tests.Fixture>
{
    protected override string Version => "1.7.";

    public sealed class Fixture() : ContainerdFixture("trixie");
}
