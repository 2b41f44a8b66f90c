using System.Text.Json;

namespace Kata.Hypervisor.Qemu.Tests;

public sealed class VcpuThreadsTests
{
    [Theory]
    [InlineData("""[{"cpu-index":0,"thread-id":9},{"cpu-index":1,"thread-id":10}]""", "9 10")]
    [InlineData("""[{"thread-id":9},{"thread-id":9}]""", "9")] // one thread emulates all of them
    [InlineData("""[{"thread-id":"9"},{"thread-id":1e99},{},3,null]""", "")]
    [InlineData("""{"thread-id":9}""", "")]
    [InlineData("null", "")]
    public void ThreadIds_AnswerOfQemu_AreEachOnce(string answer, string expected)
    {
        using var document = JsonDocument.Parse(answer);
        Assert.Equal(expected, string.Join(' ', QemuProcessors.ThreadIds(document.RootElement).Order()));
    }

    [Fact]
    public void ThreadIds_NoAnswer_AreNone() => Assert.Empty(QemuProcessors.ThreadIds(default));
}
