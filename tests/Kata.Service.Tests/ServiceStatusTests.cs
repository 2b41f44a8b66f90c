using System.Text;
using Grpc.Core;
using Kata.Hypervisor;
using Kata.Linux;
using Kata.Network;
using Kata.Oci;
using Kata.Sandbox;

namespace Kata.Service.Tests;

public sealed class ServiceStatusTests
{
    public static TheoryData<Exception, StatusCode> Table() => new()
    {
        { new InvalidSpecException("/root", "is bad", "Mend it"), StatusCode.InvalidArgument },
        { SandboxStateException.NotFound("start", "it", "x"), StatusCode.NotFound },
        { SandboxStateException.AlreadyExists("create", "a container", "x"), StatusCode.AlreadyExists },
        { SandboxStateException.WrongState("start", "x", "stopped", "created"), StatusCode.FailedPrecondition },
        { new NetworkException("no"), StatusCode.FailedPrecondition },
        { new NetworkException("no", NetworkError.NotFound), StatusCode.NotFound },
        { new NetworkException("no", NetworkError.AlreadyExists), StatusCode.AlreadyExists },
        { new AgentException("do", StatusCode.PermissionDenied, "exec: no"), StatusCode.PermissionDenied },
        { new AgentException("do", StatusCode.DeadlineExceeded, "late"), StatusCode.DeadlineExceeded },
        { new HypervisorException("dead"), StatusCode.Internal },
        { new LinuxException("mount", "mount it", Errno.EPERM), StatusCode.Internal },
        { new LinuxException("write", "write it", Errno.ENOSPC), StatusCode.ResourceExhausted },
        { new IOException("io"), StatusCode.Internal },
        { new TaskCanceledException(), StatusCode.Cancelled },
        { new NotSupportedException("pause"), StatusCode.Unimplemented },
        { new InvalidOperationException("bug"), StatusCode.Unknown },
        { new InvalidDataException("bad state"), StatusCode.Unknown },
    };

    [Theory]
    [MemberData(nameof(Table), DisableDiscoveryEnumeration = true)]
    public void ToRpc_Table(Exception error, StatusCode code)
    {
        Status status = ServiceStatus.ToRpc(error).Status;
        Assert.Equal(code, status.StatusCode);
        Assert.Equal(error.Message, status.Detail);
    }

    [Fact]
    public void ToRpc_StatusAlready_IsTheSame()
    {
        var error = new RpcException(new Status(StatusCode.Aborted, "x"));
        Assert.Same(error, ServiceStatus.ToRpc(error));
    }

    [Fact]
    public void TextOf_Chain_IsJoinedWithoutRepetition()
    {
        var error = new IOException("Cannot a: root cause", new IOException("middle", new IOException("root cause")));
        Assert.Equal("Cannot a: root cause: middle", ServiceStatus.TextOf(error));
    }

    [Fact]
    public void TextOf_CallOfDotNet_HasNoTextOfDotNet() => Assert.Equal(
        "Cannot use the file '/etc/x': Permission denied (EACCES). Give another path, or the right to it",
        ServiceStatus.TextOf(
            new UnauthorizedAccessException("Access to the path '/etc/x' is denied.", new IOException("Permission denied", 13))));

    [Theory]
    [InlineData("{ oops }")]
    [InlineData("")]
    [InlineData("{\"ociVersion\":5}")]
    [InlineData("{\"ociVersion\":\"1.0.2\",\"process\":{\"args\":[\"\\ud800\"]}}")]
    public void TextOf_WrongSpecification_HasNoTextOfDotNet(string json)
    {
        InvalidSpecException error = Assert.Throws<InvalidSpecException>(() => OciJson.ParseSpec(Encoding.UTF8.GetBytes(json)));
        Assert.Equal(error.Message, ServiceStatus.TextOf(error));
        Assert.Equal("outer: " + error.Message, ServiceStatus.TextOf(new IOException("outer", error)));
    }

    [Fact]
    public void TextOf_MessagesOfDotNet_AreOneLine()
    {
        Assert.DoesNotContain('\n', ServiceStatus.TextOf(new ObjectDisposedException("Kata.Thing")));
        Assert.DoesNotContain('\n', ServiceStatus.TextOf(new ArgumentOutOfRangeException("x", 5, "too large")));
        Assert.DoesNotContain('\n', ServiceStatus.TextOf(new IOException("outer", new ObjectDisposedException("Kata.Thing"))));
    }

    [Theory]
    [InlineData(Errno.EMFILE, "'ulimit -n'")]
    [InlineData(Errno.ENFILE, "'sysctl fs.file-max'")]
    internal void TextOf_NoDescriptorLeft_SaysWhatToRaise(Errno errno, string remedy)
    {
        Assert.Contains(remedy, ServiceStatus.TextOf(new LinuxException("open", "open 'x'", errno)), StringComparison.Ordinal);
        Assert.Contains(remedy, ServiceStatus.TextOf(new IOException("Too many open files : 'x'", (int)errno)), StringComparison.Ordinal);
    }

    [Fact]
    public void TextOf_OurOwnLines_Stay() =>
        Assert.Contains('\n', ServiceStatus.TextOf(new HypervisorException("Cannot boot. The console's end:\npanic")));
}
