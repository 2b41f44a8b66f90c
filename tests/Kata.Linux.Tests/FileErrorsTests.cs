namespace Kata.Linux.Tests;

/// <summary>Failures of .NET's own calls, made to happen.</summary>
public sealed class FileErrorsTests
{
    [Fact]
    public void TextOf_NoDirectory_IsOurs() => Assert.Equal(
        "Cannot use the file '/no/such/file': No such file or directory (ENOENT). Correct the path",
        TextOf(static () => File.WriteAllText("/no/such/file", "")));

    [Fact]
    public void TextOf_NoFile_IsOurs() => Assert.Equal(
        "Cannot use the file '/no-such': No such file or directory (ENOENT). Correct the path",
        TextOf(static () => File.ReadAllText("/no-such")));

    [Fact]
    public void TextOf_BelowAFile_IsOurs() => Assert.Equal(
        "Cannot use the file '/etc/passwd/x/y': Not a directory (ENOTDIR). Correct the path",
        TextOf(static () => File.WriteAllText("/etc/passwd/x/y", "")));

    [Fact]
    public void TextOf_Directory_IsOurs() =>
        Assert.StartsWith("Cannot use the file '/etc': ", TextOf(static () => File.ReadAllText("/etc")), StringComparison.Ordinal);

    [Fact]
    public void TextOf_FullDisk_IsOurs() => Assert.StartsWith(
        "Cannot use the file '/dev/full': No space left on device (ENOSPC). Make room there",
        TextOf(static () => File.WriteAllText("/dev/full", new string('x', 100_000))),
        StringComparison.Ordinal);

    [Fact]
    public void TextOf_OurOwnOrABug_IsNull()
    {
        Assert.Null(FileErrors.TextOf(new IOException("Cannot make 'x': no. Do y", (int)Errno.ENOSPC)));
        Assert.Null(FileErrors.TextOf(new IOException("the connection ended")));
        Assert.Null(FileErrors.TextOf(new InvalidOperationException("x")));
    }

    [Fact]
    public void CauseOf_OfAnother_IsItsText() => Assert.Equal("odd", FileErrors.CauseOf(new IOException("odd.")));

    private static string? TextOf(Action action) => FileErrors.TextOf(Assert.ThrowsAny<Exception>(action));
}
