using Kata.Linux;
using Kata.Service;
using Microsoft.Extensions.Logging;

namespace Kata.Runtime.Cni;

/// <summary>
/// This executable as <c>kata-cni</c>, a network plugin that stands in a list after those that make interfaces. On standard output there is
/// the specification's JSON and nothing else.
/// </summary>
internal static class CniProgram
{
    public const string Name = "kata-cni";

    /// <summary>A configuration has some thousand bytes; one for GC names every pod of a host.</summary>
    private const int MaxInputBytes = 16 * 1024 * 1024;

    /// <summary>Whether this process was called as the plugin.</summary>
    public static bool IsCalled(string? commandName) => Path.GetFileName(commandName) == Name;

    public static Task<int> RunAsync() => RunAsync(Environment.GetEnvironmentVariable, Console.OpenStandardInput(), Console.Out);

    /// <param name="environment">Says what a variable is; null for one that is not set.</param>
    /// <param name="input">What is asked. Closed in the end.</param>
    /// <param name="output">Where the answer goes.</param>
    /// <returns>The status to end with.</returns>
    internal static async Task<int> RunAsync(Func<string, string?> environment, Stream input, TextWriter output)
    {
        CniRequest? request = null;
        CniVersion version = CniVersions.Latest; // as long as nobody has named one
        try
        {
            request = CniRequest.Read(environment);
            byte[] document = Read(input);
            if (request.Command == CniCommand.Version)
            {
                await output.WriteLineAsync(CniJson.Write(writer =>
                {
                    writer.WriteString(CniConfiguration.VersionKey, CniConfiguration.VersionAsked(document));
                    writer.WriteStartArray("supportedVersions");
                    foreach (string text in CniVersions.Texts)
                    {
                        writer.WriteStringValue(text);
                    }

                    writer.WriteEndArray();
                }));
                return ExitCodes.Success;
            }

            var configuration = CniConfiguration.Parse(document, request.Command);
            version = configuration.Version;
            if (await new CniPlugin(request, configuration).RunAsync() is { Length: > 0 } result)
            {
                await output.WriteLineAsync(result);
            }

            return ExitCodes.Success;
        }
        catch (Exception error) // a border
        {
            var told = CniException.Of(error);
            await output.WriteLineAsync(CniJson.Write(writer =>
            {
                writer.WriteString(CniConfiguration.VersionKey, version.Text());
                writer.WriteNumber("code", (int)told.Code);
                writer.WriteString("msg", told.Text);
                writer.WriteString("details", told.Remedy);
            }));
            Log(request, told);
            return ExitCodes.Failure;
        }
    }

    private static byte[] Read(Stream input)
    {
        using Stream stream = input;
        using var buffer = new MemoryStream();
        byte[] piece = new byte[16 * 1024];
        for (int length; (length = stream.Read(piece)) > 0;)
        {
            buffer.Write(piece, 0, length);
            if (buffer.Length > MaxInputBytes)
            {
                throw new CniException(
                    CniErrorCode.InvalidConfiguration, $"Cannot read the network configuration: it has more than {MaxInputBytes} bytes",
                    "Give it less");
            }
        }

        return buffer.ToArray();
    }

    private static void Log(CniRequest? request, CniException error)
    {
        try
        {
            using RecordLog log = RecordLog.Open(
                null, LogFormat.Text, LogLevel.Information, TimeProvider.System, "cni", sandbox: null, request?.ContainerId);
            log.Write(
                LogLevel.Error, error.Message,
                [new("command", request?.Command.ToString() ?? ""), new("interface", request?.InterfaceName ?? "")]);
        }
        catch (LinuxException)
        {
            // the caller has it already
        }
    }
}
