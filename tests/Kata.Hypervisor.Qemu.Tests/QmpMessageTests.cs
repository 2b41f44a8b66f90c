using System.Text;
using CsCheck;
using Kata.Hypervisor.Qemu.Qmp;

namespace Kata.Hypervisor.Qemu.Tests;

public sealed class QmpMessageTests
{
    public static TheoryData<string> BadLines =>
    [
        "", " ", "\0", "{", "}", "null", "1", "\"x\"", "[]", "{}", "{} {}", "{\"event\":\"A\"}{\"event\":\"B\"}",
        "{\"event\":1}", "{\"event\":null}", "{\"error\":1}", "{\"error\":{\"class\":1}}", "{\"QMP\":1}", "{\"event\":\"A\",}",
        "// c\n{\"event\":\"A\"}", "{\"event\":\"\\ud800\"}", new string('[', 100),
        "{\"return\":" + new string('[', 64) + new string(']', 64) + "}", "{\"return\":{}",
    ];

    [Theory]
    [MemberData(nameof(BadLines))]
    public void Parse_BadLine_ThrowsTheProtocolError(string line) =>
        Assert.Throws<QmpProtocolException>(() => QmpMessage.Parse(Encoding.UTF8.GetBytes(line)));

    [Fact]
    public void Parse_InvalidUtf8_ThrowsTheProtocolError() =>
        Assert.Throws<QmpProtocolException>(() => QmpMessage.Parse([.. "{\"event\":\""u8, 0xff, 0xfe, .. "\"}"u8]));

    [Fact]
    public void Parse_LongerThanTheLimit_ThrowsBeforeReading() =>
        Assert.Throws<QmpProtocolException>(() => QmpMessage.Parse(new byte[QmpMessage.MaxBytes + 1]));

    [Theory]
    [InlineData("{\"QMP\":{\"version\":{},\"capabilities\":[]}}", "Greeting", null, "")]
    [InlineData("{\"return\":{},\"id\":7}", "Return", 7L, "")]
    [InlineData("{\"return\":[],\"id\":\"7\"}", "Return", null, "")]
    [InlineData("{\"return\":{},\"id\":99999999999999999999}", "Return", null, "")]
    [InlineData("{\"id\":1,\"error\":{\"class\":\"GenericError\",\"desc\":\"no\"}}", "Error", 1L, "GenericError")]
    [InlineData("{\"timestamp\":{\"seconds\":1},\"event\":\"RESET\",\"data\":{\"guest\":true}}", "Event", null, "RESET")]
    [InlineData("{\"event\":\"STOP\",\"event\":\"RESUME\"}", "Event", null, "RESUME")]
    public void Parse_GoodLine_IsUnderstood(string line, string kind, long? id, string name)
    {
        QmpMessage message = QmpMessage.Parse(Encoding.UTF8.GetBytes(line));

        Assert.Equal((kind, id, name), (message.Kind.ToString(), message.Id, message.Name));
    }

    [Fact]
    public void Parse_AnyBytes_GivesAMessageOrTheProtocolError() => Gen.OneOf(
        Gen.Byte.Array[0, 100],
        Gen.String[Gen.Char["{}[]\":,evntruQMPidclas0123 \\"], 0, 80].Select(Encoding.UTF8.GetBytes)).Sample(static bytes =>
    {
        try
        {
            return QmpMessage.Parse(bytes) is not null;
        }
        catch (QmpProtocolException)
        {
            return true;
        }
    });

    [Fact]
    public void Parse_AnyEventName_RoundTrips() => Gen.String[Gen.Char.AlphaNumeric, 1, 30].Sample(
        static name => QmpMessage.Parse(Encoding.UTF8.GetBytes($"{{\"event\":\"{name}\"}}")).Name == name);
}
