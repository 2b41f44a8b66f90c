namespace Kata.Integration.Tests.Cri;

/// <summary>containerd 1.7, of Debian 13.</summary>
[Collection(Harness.ContainersGroup.Name)]
public sealed class Cri17Tests(Cri17Tests.Fixture fixture) : CriVersionTests(fixture), IClassFixture<Cri17Tests.Fixture>
{
    [Fact]
    public Task Pod_LivesItsLife() => LiveAsync(CriFixture.Kata, ownContainer: true);

    public sealed class Fixture() : CriFixture("trixie");
}
