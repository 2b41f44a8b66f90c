using System.Text;
using Kata.Agent.Devices;

namespace Kata.Agent.Tests;

public sealed class UeventTests
{
    [Theory]
    [InlineData("add@/devices/x\0ACTION=add\0SUBSYSTEM=virtio-ports\0SEQNUM=5\0", true)]
    [InlineData("add@/devices/x\0ACTION=add\0SUBSYSTEM=virtio-ports", true)] // cut at its end
    [InlineData("add@/devices/x\0ACTION=add\0SUBSYSTEM=virtio-ports-2\0", false)]
    [InlineData("add@/devices/x\0ACTION=add\0SUBSYSTEM=virtio-por", false)]
    [InlineData("add@/SUBSYSTEM=virtio-ports\0XSUBSYSTEM=virtio-ports\0", false)]
    [InlineData("\0\0\0", false)]
    [InlineData("", false)]
    public void Names_Message_BySubsystem(string message, bool expected) =>
        Assert.Equal(expected, Uevent.Names(Encoding.ASCII.GetBytes(message), "virtio-ports"u8));
}
