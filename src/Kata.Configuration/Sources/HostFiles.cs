using System.Runtime.InteropServices;

namespace Kata.Configuration;

/// <summary>The host's file system.</summary>
internal sealed class HostFiles : IConfigurationFiles
{
    internal static readonly HostFiles Instance = new();

    private const int MaxLinks = 40; // the kernel's own limit, path_resolution(7)

    private HostFiles()
    {
    }

    public byte[]? Read(string path, int maxBytes)
    {
        try
        {
            using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
            if (file.Length > maxBytes)
                throw new IOException(FormattableString.Invariant($"it has {file.Length} bytes"));
            byte[] content = new byte[file.Length];
            int length = file.ReadAtLeast(content, content.Length, throwOnEndOfStream: false);
            return length == content.Length ? content : content[..length];
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        catch (UnauthorizedAccessException)
        {
            // .NET says the same of a directory, and puts the path in between.
            throw new IOException(Directory.Exists(path) ? "it is a directory" : "permission is denied");
        }
        catch (IOException exception) when (exception.HResult is > 0 and < 4096)
        {
            throw new IOException(Marshal.GetPInvokeErrorMessage(exception.HResult)); // the kernel's number: its words without .NET's
        }
    }

    public IReadOnlyList<string> List(string directory) => Directory.Exists(directory) ? Directory.GetFiles(directory) : [];

    public bool Exists(string path) => File.Exists(path);

    public string Resolve(string path)
    {
        string rest = Path.GetFullPath(path);
        string done = "/";
        int links = 0;
        while (rest.Trim('/') is { Length: > 0 } left)
        {
            int slash = left.IndexOf('/', StringComparison.Ordinal);
            string step = Path.Combine(done, slash < 0 ? left : left[..slash]);
            rest = slash < 0 ? "" : left[slash..];
            if (new FileInfo(step).LinkTarget is { } target)
            {
                if (++links > MaxLinks)
                    return Path.GetFullPath(path);
                rest = Path.GetFullPath(target, done) + rest;
                done = "/";
            }
            else
            {
                done = step;
            }
        }

        return done;
    }
}
