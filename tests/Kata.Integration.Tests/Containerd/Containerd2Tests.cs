namespace Kata.Integration.Tests.Containerd;

/// <summary>containerd 2, of the suite that becomes Debian 14.</summary>
[Collection(Harness.ContainersGroup.Name)]
public sealed class Containerd2Tests(Containerd2Tests.Fixture fixture)
    : NewerContainerdTests(fixture), IClassFixture<Containerd2Tests.Fixture>
{
    protected override string Version => "2.";

    public sealed class Fixture() : ContainerdFixture("forky");
}
