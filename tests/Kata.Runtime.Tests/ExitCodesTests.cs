using Grpc.Core;

namespace Kata.Runtime.Tests;

public sealed class ExitCodesTests
{
    [Theory]
    [InlineData(StatusCode.NotFound, "exec: \"x\": executable file not found in $PATH", 127)]
    [InlineData(StatusCode.PermissionDenied, "exec: \"/etc\": permission denied", 126)]
    [InlineData(StatusCode.Internal, "exec: \"x\": input/output error", 1)]
    [InlineData(StatusCode.NotFound, "Cannot start the container 'x': it does not exist", 1)]
    [InlineData(StatusCode.PermissionDenied, "Cannot exec: denied", 1)]
    public void Of_ServicesFailure_Table(StatusCode code, string detail, int expected) =>
        Assert.Equal(expected, ExitCodes.Of(new RpcException(new Status(code, detail)), "start"));

    [Fact]
    public void Of_AnythingElse_IsOne() => Assert.Equal(1, ExitCodes.Of(new IOException("exec: x"), "run"));

    [Theory]
    [InlineData(StatusCode.NotFound, "exec: \"x\": executable file not found in $PATH", 127)]
    [InlineData(StatusCode.NotFound, "Cannot execute in the container 'x': it does not exist", 255)]
    [InlineData(StatusCode.Internal, "exec: \"x\": input/output error", 255)]
    public void Of_ExecsOwnFailure_Is255(StatusCode code, string detail, int expected) =>
        Assert.Equal(expected, ExitCodes.Of(new RpcException(new Status(code, detail)), "exec"));

    [Fact]
    public void TextOf_ServicesFailure_IsWhatTheServiceSaid()
    {
        Assert.Equal("said", ExitCodes.TextOf(new RpcException(new Status(StatusCode.Internal, "said"))));
        Assert.Equal("the pod's service answered Unavailable", ExitCodes.TextOf(new RpcException(new Status(StatusCode.Unavailable, ""))));
    }

    [Fact]
    public void TextOf_AnythingElse_IsTheChain() =>
        Assert.Equal("outer: inner", ExitCodes.TextOf(new IOException("outer", new IOException("inner"))));
}
