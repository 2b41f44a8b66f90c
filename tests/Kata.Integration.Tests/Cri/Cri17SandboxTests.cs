namespace Kata.Integration.Tests.Cri;

/// <summary>containerd 1.7 with its experimental Sandbox service switched on.</summary>
[Collection(Harness.ContainersGroup.Name)]
public sealed class Cri17SandboxTests(Cri17SandboxTests.Fixture fixture)
    : CriVersionTests(fixture), IClassFixture<Cri17SandboxTests.Fixture>
{
    [Theory]
    [InlineData(CriFixture.Kata, true)]
    [InlineData(CriFixture.KataSandbox, false)]
    public Task Pod_LivesItsLife(string handler, bool ownContainer) => LiveAsync(handler, ownContainer);

    public sealed class Fixture() : CriFixture("trixie")
    {
        private protected override string[] Launcher => ["/usr/bin/env", "ENABLE_CRI_SANDBOXES=1", .. base.Launcher];

        private protected override string SandboxHandler => """
            [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.kata-sandbox]
            runtime_type = "io.containerd.kata.v2"
            sandbox_mode = "shim"
            pod_annotations = ["io.katacontainers.*"]
            privileged_without_host_devices = true
            """;
    }
}
