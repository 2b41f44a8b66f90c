namespace Kata.Integration.Tests.Cri;

/// <summary>containerd 2, of the suite that becomes Debian 14: with a pause container, and with its Sandbox service.</summary>
[Collection(Harness.ContainersGroup.Name)]
public sealed class Cri2Tests(Cri2Tests.Fixture fixture) : CriVersionTests(fixture), IClassFixture<Cri2Tests.Fixture>
{
    [Theory]
    [InlineData(CriFixture.Kata, true)]
    [InlineData(CriFixture.KataSandbox, false)]
    public Task Pod_LivesItsLife(string handler, bool ownContainer) => LiveAsync(handler, ownContainer);

    public sealed class Fixture() : CriFixture("forky")
    {
        private protected override string SandboxHandler => """
            [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.kata-sandbox]
            runtime_type = "io.containerd.kata.v2"
            sandboxer = "shim"
            pod_annotations = ["io.katacontainers.*"]
            privileged_without_host_devices = true
            """;
    }
}
