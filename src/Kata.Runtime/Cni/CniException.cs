using Grpc.Core;
using Kata.Network;
using Kata.Sandbox;

namespace Kata.Runtime.Cni;

/// <summary>A command of the plugin failed: what its caller is told.</summary>
internal sealed class CniException : Exception
{
    private const string RemedyMark = ". ";

    internal CniException(CniErrorCode code, string text, string remedy, Exception? cause = null)
        : base($"{text}{RemedyMark}{remedy}", cause) => (Code, Text, Remedy) = (code, text, remedy);

    public CniErrorCode Code { get; }

    /// <summary>What failed, and why.</summary>
    public string Text { get; }

    /// <summary>What to do.</summary>
    public string Remedy { get; }

    /// <summary>A failure of another kind as one of these.</summary>
    public static CniException Of(Exception error) => error as CniException ?? Of(
        error switch
        {
            RpcException or SandboxStateException or TimeoutException => CniErrorCode.PodRefused,
            NetworkException or IOException or UnauthorizedAccessException or Linux.LinuxException => CniErrorCode.InputOutput,
            _ => CniErrorCode.Internal,
        },
        error);

    /// <inheritdoc cref="Of(Exception)"/>
    /// <param name="code">What it is here.</param>
    /// <param name="error">The failure.</param>
    /// <param name="remedy">What to do about one that does not say it.</param>
    public static CniException Of(CniErrorCode code, Exception error, string remedy = "See 'journalctl -t kata-runtime'")
    {
        string text = ExitCodes.TextOf(error);
        return text.LastIndexOf(RemedyMark, StringComparison.Ordinal) is >= 0 and var at
            ? new CniException(code, text[..at], text[(at + RemedyMark.Length)..], error)
            : new CniException(code, text, remedy, error);
    }
}
