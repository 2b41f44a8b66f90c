using System.Runtime.InteropServices;

namespace Kata.Oci;

/// <summary>An OCI bundle: a directory with a <c>config.json</c> and, usually, the root file system.</summary>
public sealed class Bundle
{
    /// <summary>The name of the specification's file in a bundle.</summary>
    public const string ConfigFileName = "config.json";

    private Bundle(string directory, RuntimeSpec spec, string rootfsPath, IReadOnlyList<string> warnings)
    {
        Directory = directory;
        Spec = spec;
        RootfsPath = rootfsPath;
        Warnings = warnings;
    }

    /// <summary>The absolute path of the bundle.</summary>
    public string Directory { get; }

    /// <summary>The specification as it was read; paths in it are as the caller wrote them.</summary>
    public RuntimeSpec Spec { get; }

    /// <summary>The absolute path of the root file system. Symbolic links in it are not resolved.</summary>
    public string RootfsPath { get; }

    /// <summary>What is odd in the specification and was accepted, as sentences for a log.</summary>
    public IReadOnlyList<string> Warnings { get; }

    /// <summary>Reads and validates the bundle in a directory, relative ones from the current directory.</summary>
    /// <exception cref="InvalidSpecException">The bundle cannot be used; the text says why and what to do.</exception>
    public static Bundle Load(string directory)
    {
        ArgumentException.ThrowIfNullOrEmpty(directory);
        directory = Path.GetFullPath(directory);
        if (!System.IO.Directory.Exists(directory))
        {
            throw InvalidSpecException.ForBundle(
                directory,
                File.Exists(directory) ? "it is not a directory" : "the directory does not exist",
                "Name the directory that holds config.json with --bundle");
        }

        byte[] text = ReadConfig(directory);
        RuntimeSpec spec;
        IReadOnlyList<string> warnings;
        try
        {
            spec = OciJson.ParseSpec(text);
            warnings = SpecValidator.Validate(spec);
        }
        catch (InvalidSpecException exception)
        {
            throw exception.InBundle(directory);
        }

        string rootfs = Path.GetFullPath(spec.Root!.Path, directory); // the validator requires a root
        if (!System.IO.Directory.Exists(rootfs))
        {
            string cause = File.Exists(rootfs) ? "is not a directory" : "does not exist";
            throw InvalidSpecException.ForBundle(
                directory,
                $"the root file system {SpecText.Quote(rootfs)} {cause}",
                "Unpack an image there, or correct /root/path in config.json");
        }

        return new Bundle(directory, spec, rootfs, warnings);
    }

    /// <summary>The same bundle with a specification that something was added to.</summary>
    internal Bundle WithSpec(RuntimeSpec spec) => new(Directory, spec, RootfsPath, Warnings);

    private static byte[] ReadConfig(string directory)
    {
        string path = Path.Combine(directory, ConfigFileName);
        try
        {
            using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
            if (file.Length > OciJson.MaxBytes)
            {
                throw InvalidSpecException.ForBundle(
                    directory, $"config.json has {file.Length} bytes", $"At most {OciJson.MaxBytes} bytes are read");
            }

            byte[] text = new byte[file.Length];
            int length = file.ReadAtLeast(text, text.Length, throwOnEndOfStream: false);
            return length == text.Length ? text : text[..length];
        }
        catch (FileNotFoundException exception)
        {
            throw InvalidSpecException.ForBundle(
                directory,
                "there is no config.json in it",
                "Write one ('kata-runtime spec' makes a template), or name another directory with --bundle",
                exception);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw InvalidSpecException.ForBundle(
                directory, $"config.json cannot be read: {WhyUnreadable(path, exception)}", "It must be a readable file", exception);
        }
    }

    // The kernel's word for it, without what .NET puts around it. Of a directory .NET says that access is denied.
    private static string WhyUnreadable(string path, Exception exception) =>
        System.IO.Directory.Exists(path) ? "it is a directory"
        : exception is UnauthorizedAccessException ? "permission is denied"
        : exception.HResult is > 0 and < 4096 and int errno ? Marshal.GetPInvokeErrorMessage(errno)
        : "the system reports an input or output error";
}
