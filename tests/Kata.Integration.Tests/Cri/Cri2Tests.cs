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
        /// <summary>
        /// A runtime handler with a configuration of its own. containerd 2.1 makes its pods, and cannot
        /// pass such options on for their containers.
        /// </summary>
        internal const string Configured = "kata-configured";

        /// <summary>In the kernel's command line of its guests.</summary>
        internal const string Mark = "kata_test_handler=1";

        private protected override string SandboxHandler => $"""
            [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.kata-sandbox]
            runtime_type = "io.containerd.kata.v2"
            sandboxer = "shim"
            pod_annotations = ["io.katacontainers.*"]
            privileged_without_host_devices = true
            [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.{Configured}]
            runtime_type = "io.containerd.kata.v2"
            sandboxer = "shim"
            [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.{Configured}.options]
            ConfigPath = "{HandlerConfiguration}"
            """;

        private string HandlerConfiguration => ConfigurationFile + ".handler";

        private protected override async Task PrepareAsync()
        {
            string text = await File.ReadAllTextAsync(ConfigurationFile);
            await File.WriteAllTextAsync(
                HandlerConfiguration,
                text.Replace("[hypervisor.qemu]", $"[hypervisor.qemu]\nkernel_params = \"{Mark}\"", StringComparison.Ordinal));
            await base.PrepareAsync();
        }
    }
}
