using Grpc.Core;
using Kata.Linux;

namespace Kata.Agent.Tests;

/// <summary>The agent is built without .NET's texts: what .NET calls them must not reach anybody.</summary>
public sealed class ErrorTextTests
{
    public static TheoryData<Exception, string> Errors => new()
    {
        {
            new FileNotFoundException("IO_FileNotFound_FileName, /x", "/x"),
            "Cannot use the file '/x': No such file or directory (ENOENT). Correct the path"
        },
        {
            new DirectoryNotFoundException("IO_PathNotFound_Path, /x/y"),
            "Cannot use a file: No such file or directory (ENOENT). Correct the path"
        },
        {
            new IOException("Arg_IOException", (int)Errno.EINVAL),
            "Cannot use a file: Invalid argument (EINVAL). See the kernel's log for more"
        },
        {
            new UnauthorizedAccessException("UnauthorizedAccess_IODenied_Path, /x"),
            "Cannot use a file: Permission denied (EACCES). Give another path, or the right to it"
        },
        {
            new FormatException("Format_InvalidStringWithValue, x"),
            "Cannot go on: the guest's agent failed with FormatException. The guest's console has more"
        },
        {
            new KeyNotFoundException("Arg_KeyNotFound"),
            "Cannot go on: the guest's agent failed with KeyNotFoundException. The guest's console has more"
        },
        { new InvalidOperationException("Cannot open the channel: why"), "Cannot open the channel: why" },
        { new RpcException(new Status(StatusCode.NotFound, "exec: no")), "exec: no" },
        { new LinuxException("mount", "mount it", Errno.EBUSY), "Cannot mount it: mount: Device or resource busy (EBUSY)" },
    };

    [Theory]
    [MemberData(nameof(Errors))]
    public void Of_AnyFailure_IsASentence(Exception error, string text) => Assert.Equal(text, ErrorText.Of(error));

    [Fact]
    public void CauseOf_KernelRefused_IsItsAnswer() =>
        Assert.Equal("Invalid argument (EINVAL)", ErrorText.CauseOf(new IOException("Arg_IOException", (int)Errno.EINVAL)));
}
