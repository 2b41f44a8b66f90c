using Kata.Integration.Tests.Hypervisor;

namespace Kata.Integration.Tests.Faults;

/// <summary>Tests of which each has a harness, and so a state root, of its own.</summary>
public abstract class FaultTests : IAsyncLifetime
{
    private protected FaultHarness Host { get; private set; } = null!;

    public ValueTask InitializeAsync()
    {
        GuestFiles.RequireRoot();
        Assert.SkipUnless(File.Exists(FaultHarness.Runtime), "needs artifacts/bin/kata-runtime ('make'), or KATA_TEST_RUNTIME");
        Host = new FaultHarness();
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        if (Host is not null)
        {
            await Host.DisposeAsync();
        }

        GC.SuppressFinalize(this);
    }
}
