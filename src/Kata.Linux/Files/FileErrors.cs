namespace Kata.Linux;

/// <summary>What the kernel said where a call of .NET's own failed: .NET puts words of its own around it, and no remedy.</summary>
internal static class FileErrors
{
    private const int LastErrno = 4095; // linux/err.h

    /// <summary>The kernel's answer, or null when the failure is not the kernel's.</summary>
    public static Errno? Of(Exception error) => error switch
    {
        // .NET tells no difference.
        FileNotFoundException or DirectoryNotFoundException => IsBelowAFile(PathIn(error.Message)) ? Errno.ENOTDIR : Errno.ENOENT,
        PathTooLongException => Errno.ENAMETOOLONG,
        UnauthorizedAccessException => error.InnerException is IOException inner && Of(inner) is { } why ? why : Errno.EACCES,
        IOException { HResult: > 0 and <= LastErrno and var number } => (Errno)number,
        _ => null,
    };

    /// <summary>As <see cref="LinuxException"/> puts it; of another failure its text without the full stop.</summary>
    public static string CauseOf(Exception error) => Of(error) is { } errno ? LinuxException.Describe(errno) : error.Message.TrimEnd('.');

    /// <summary>The whole text for people, or null when the failure is not the kernel's or says all of it itself.</summary>
    public static string? TextOf(Exception error)
    {
        if (Of(error) is not { } errno || error.Message.StartsWith("Cannot ", StringComparison.Ordinal))
        {
            return null;
        }

        string remedy = LinuxException.RemedyFor(errno) ?? errno switch
        {
            Errno.ENOENT or Errno.ENOTDIR or Errno.EISDIR or Errno.ENAMETOOLONG or Errno.ELOOP => "Correct the path",
            Errno.EACCES or Errno.EPERM or Errno.EROFS => "Give another path, or the right to it",
            Errno.ENOSPC or Errno.EDQUOT => "Make room there",
            _ => "See the kernel's log for more",
        };
        string? path = (error as FileNotFoundException)?.FileName ?? PathIn(error.Message);
        return $"Cannot use {(path is null ? "a file" : $"the file '{path}'")}: {LinuxException.Describe(errno)}. {remedy}";
    }

    private static bool IsBelowAFile(string? path)
    {
        while ((path = Path.GetDirectoryName(path)) is not null)
        {
            if (File.Exists(path))
            {
                return true;
            }
        }

        return false;
    }

    // .NET names the path nowhere else: "Could not find a part of the path '/x'."
    private static string? PathIn(string message)
    {
        int first = message.IndexOf('\'', StringComparison.Ordinal);
        int last = message.LastIndexOf('\'');
        return last > first + 1 ? message[(first + 1)..last] : null;
    }
}
