using System.Buffers;
using System.CommandLine;
using System.Text.Encodings.Web;
using System.Text.Json;
using Kata.Linux;
using Kata.Linux.Interop;
using Kata.Oci;

namespace Kata.Runtime.Commands;

/// <summary><c>spec</c>: writes a <c>config.json</c> to start from, and never over another.</summary>
internal static class SpecCommand
{
    public static Command Define()
    {
        var bundle = new Option<string?>("--bundle", "-b")
        {
            Description = "Directory to write config.json to; the current one when left out",
            HelpName = "DIR",
        };
        var rootless = new Option<bool>("--rootless") { Description = "Refused: containers can be created by root only" };
        var command = new Command("spec", "Write a config.json to start from") { bundle, rootless };
        command.SetAction(result =>
        {
            string directory = Path.GetFullPath(result.GetValue(bundle) ?? Directory.GetCurrentDirectory());
            if (result.GetValue(rootless))
            {
                throw new ArgumentException("Cannot write a specification with '--rootless': containers can be created by root only. "
                    + "Leave the option out, and run containers as root");
            }

            Write(directory);
            return ExitCodes.Success;
        });
        return command;
    }

    private static void Write(string directory)
    {
        string path = Path.Combine(directory, Bundle.ConfigFileName);
        using SafeFileDescriptor file = LibC.open(
            path, LibC.O_WRONLY | LibC.O_CREAT | LibC.O_EXCL | LibC.O_CLOEXEC, FileModes.GroupReadable);
        if (file.IsInvalid)
        {
            LinuxException error = LinuxException.FromLastErrno("open", $"write the specification '{path}'");
            throw error.Errno switch
            {
                Errno.EEXIST => new ArgumentException($"Cannot write the specification '{path}': there is one already. "
                    + "Remove it first, or name another directory with --bundle"),
                Errno.ENOENT => new ArgumentException(
                    $"Cannot write the specification '{path}': the directory does not exist. Make it, or name another with --bundle"),
                Errno.ENOTDIR => new ArgumentException(
                    $"Cannot write the specification '{path}': '{directory}' is not a directory. Name one with --bundle"),
                _ => error,
            };
        }

        try
        {
            ReadOnlySpan<byte> rest = Text();
            while (rest.Length > 0)
            {
                rest = rest[DescriptorWriter.Write(file, rest, $"write the specification '{path}'")..];
            }
        }
        catch (LinuxException)
        {
            File.Delete(path); // half of one would be taken for a whole by whoever comes next
            throw;
        }
    }

    /// <summary>Indented with tabs, as other runtimes write it, for the person who edits it.</summary>
    internal static byte[] Text()
    {
        var buffer = new ArrayBufferWriter<byte>(4096);
        var options = new JsonWriterOptions
        {
            Indented = true,
            IndentCharacter = '\t',
            IndentSize = 1,
            Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        };
        using (var document = JsonDocument.Parse(OciJson.Write(SpecTemplate.Make())))
        using (var writer = new Utf8JsonWriter(buffer, options))
        {
            document.WriteTo(writer);
        }

        return [.. buffer.WrittenSpan, (byte)'\n'];
    }
}
