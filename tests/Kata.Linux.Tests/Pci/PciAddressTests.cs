namespace Kata.Linux.Tests;

public sealed class PciAddressTests
{
    [Theory]
    [InlineData("0000:00:05.0")]
    [InlineData("0000:3b:1f.7")]
    [InlineData("10000:e1:00.0")] // behind Intel's volume management device
    public void TryParse_AddressOfTheKernel_IsItself(string text)
    {
        Assert.True(PciAddress.TryParse(text, out PciAddress? address));
        Assert.Equal(text, address.ToString());
    }

    [Theory]
    [InlineData("")]
    [InlineData("00:05.0")]
    [InlineData("0000:00:05")]
    [InlineData("0000:00:05.8")]
    [InlineData("0000:00:05.00")]
    [InlineData("0000.00:05:0")]
    [InlineData("0000:00:5.0")]
    [InlineData("0000:3B:00.0")]
    [InlineData("0000:00:05.0\n")]
    [InlineData("0000:00:05.0/../../x")]
    [InlineData("../0:00:05.0")]
    [InlineData("123456789:00:05.0")]
    [InlineData("usb-0000:00:14.0-1")]
    public void TryParse_AnythingElse_IsNone(string text)
    {
        Assert.False(PciAddress.TryParse(text, out PciAddress? address));
        Assert.Null(address);
    }
}
