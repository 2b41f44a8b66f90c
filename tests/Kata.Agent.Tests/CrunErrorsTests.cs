using Grpc.Core;
using Kata.Agent.Containers;
using Kata.Linux;

namespace Kata.Agent.Tests;

public sealed class CrunErrorsTests
{
    [Theory]
    [InlineData("executable file `nope` not found in $PATH: No such file or directory", "nope", StatusCode.NotFound,
        "exec: \"nope\": executable file not found in $PATH")]
    [InlineData("executable file `/nope` not found in $PATH: No such file or directory", "/nope", StatusCode.NotFound,
        "exec: \"/nope\": stat /nope: no such file or directory")]
    [InlineData("executable file `./nope` not found in $PATH: No such file or directory", "./nope", StatusCode.NotFound,
        "exec: \"./nope\": stat ./nope: no such file or directory")]
    [InlineData(
        "open executable: Permission denied", "/etc/passwd", StatusCode.PermissionDenied, "exec: \"/etc/passwd\": permission denied")]
    [InlineData("open executable: Operation not permitted", "/etc", StatusCode.PermissionDenied, "exec: \"/etc\": permission denied")]
    [InlineData("executable file `/nope` not found: No such file or directory", "/nope", StatusCode.NotFound,
        "exec: \"/nope\": stat /nope: no such file or directory")]
    [InlineData("the path `/etc/passwd` exists but it is not executable: Operation not permitted", "/etc/passwd",
        StatusCode.PermissionDenied, "exec: \"/etc/passwd\": permission denied")]
    [InlineData("the path `/etc` is not a regular file: Operation not permitted", "/etc", StatusCode.PermissionDenied,
        "exec: \"/etc\": permission denied")]
    [InlineData("mount `proc` to `/proc`: Operation not permitted", "sh", StatusCode.Internal,
        "Cannot create it: mount `proc` to `/proc`: Operation not permitted")]
    [InlineData("", "sh", StatusCode.Internal, "Cannot create it: crun ended with signal 9 and without a message")]
    public void Translate_KnownTexts_AreRuncs(string message, string command, StatusCode code, string expected)
    {
        RpcException error = CrunErrors.Translate(
            message + "\n", message.Length == 0 ? new ExitStatus(null, 9) : new ExitStatus(1, null), command, "create it");
        Assert.Equal(code, error.StatusCode);
        Assert.Equal(expected, error.Status.Detail);
    }

    [Theory]
    [InlineData("fail startup", "8", "7", true)]
    [InlineData("fork: Resource temporarily unavailable", "8", "8", true)]
    [InlineData("fork: Resource temporarily unavailable", "8", "6", false)]
    [InlineData("fail startup", "max", "7", false)]
    [InlineData("fail startup", "", "", false)]
    [InlineData("chdir: No such file or directory", "8", "8", false)]
    public void Shortage_NoRoomForProcesses_SaysHowManyAndWhatToDo(string text, string limit, string current, bool expected)
    {
        RpcException error = CrunErrors.Translate(text, new ExitStatus(1, null), "sh", "start it");
        RpcException? shortage = CrunErrors.Shortage(error, limit, current, "start it");
        Assert.Equal(expected, shortage is not null);
        if (shortage is not null)
        {
            Assert.Equal(StatusCode.ResourceExhausted, shortage.StatusCode);
            Assert.Contains($"the container has {current} processes of the {limit} that its limit (pids) allows", shortage.Status.Detail,
                StringComparison.Ordinal);
            Assert.Contains("End some, or raise the limit", shortage.Status.Detail, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("one\ntwo\n\n", "two")]
    [InlineData("\n", "")]
    public void LastMessage_SeveralLines_TakesTheLast(string log, string expected) => Assert.Equal(expected, CrunErrors.LastMessage(log));

    [Fact]
    public void LastMessage_HugeText_IsCut() => Assert.Equal(4096, CrunErrors.LastMessage(new string('x', 100_000)).Length);
}
