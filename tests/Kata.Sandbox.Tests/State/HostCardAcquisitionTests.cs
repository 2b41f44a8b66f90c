using Kata.Network;

namespace Kata.Sandbox.Tests;

/// <summary>What a remover does by the journal's record of a card; with a card it is shown in the lab.</summary>
public sealed class HostCardAcquisitionTests
{
    private const string Gone = "4026531840 ffffff:ff:1f.7 igb - fast0 02:00:00:00:00:03 1500 1 - /nowhere/netns";

    [Theory]
    [InlineData(Gone)] // no host has so many domains
    [InlineData("")]
    [InlineData("later versions, other words")]
    public async Task Release_CardThatIsGoneOrMakesNoSense_DoesNothing(string value)
    {
        var read = Acquisition.Of("HostCard", value);
        Assert.Equal(value, Assert.IsType<HostCardAcquisition>(read).Value);
        await read.ReleaseAsync(TestContext.Current.CancellationToken);
    }

    [Fact]
    public void Value_IsWhatTheCardWrites() => Assert.Equal(Gone, HostCard.Parse(Gone)?.ToString());
}
