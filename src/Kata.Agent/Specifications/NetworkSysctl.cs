using System.Collections.Concurrent;
using Kata.Agent.Network;

namespace Kata.Agent.Specifications;

/// <summary>
/// The <c>net.*</c> settings of a specification, and those of the pod's network namespace on the host: they are the guest's, whose network
/// namespace the containers use. Others are crun's. Thread-safe.
/// </summary>
internal static class NetworkSysctl
{
    private const string Root = "/proc/sys/";
    private static readonly string[] s_followed = ["net/core/", "net/ipv4/", "net/ipv6/"];
    private static readonly ConcurrentDictionary<string, bool> s_specified = new(StringComparer.Ordinal); // by path

    public static bool IsOne(string name) =>
        name.StartsWith("net.", StringComparison.Ordinal) || name.StartsWith("net/", StringComparison.Ordinal);

    /// <summary>Sets one of a specification on the guest. From then on it is not <see cref="Follow"/>ed.</summary>
    /// <exception cref="Grpc.Core.RpcException">InvalidArgument: there is no such setting, or the kernel refuses the value.</exception>
    public static void Set(string name, string value)
    {
        // As sysctl(8): with dots for separators a slash is a dot in the name, as in an interface's.
        bool slashes = name.StartsWith("net/", StringComparison.Ordinal);
        string path = slashes ? name : string.Concat(name.Select(static c => c == '.' ? '/' : c == '/' ? '.' : c));
        if (!IsPlain(path))
        {
            throw AgentException.Invalid($"Cannot set the sysctl '{name}': it is not a plain name");
        }

        NetworkModules.PrepareFor(path);
        s_specified[path] = true;
        if (Write(path, value) is { } reason)
        {
            throw AgentException.Invalid($"Cannot set the sysctl '{name}' to '{value}': the guest's kernel refused: {reason}");
        }
    }

    /// <summary>Looks at a path of the host's before <see cref="Follow"/>.</summary>
    /// <exception cref="Grpc.Core.RpcException">InvalidArgument: it is none of the network's.</exception>
    public static void Require(string path)
    {
        if (!IsPlain(path) || !s_followed.Any(start => path.StartsWith(start, StringComparison.Ordinal)))
        {
            throw AgentException.Invalid($"Cannot set the sysctl '{path}': it is none of the network's");
        }
    }

    /// <summary>
    /// Has the guest have what the pod's network namespace has, unless its kernel has no such setting or a container has set it.
    /// </summary>
    /// <param name="path">Below <c>/proc/sys</c>.</param>
    /// <param name="value">The host's.</param>
    /// <returns>Why the kernel refused it, with the path; null when it did not.</returns>
    public static string? Follow(string path, string value) =>
        !s_specified.ContainsKey(path) && File.Exists(Root + path) && Write(path, value) is { } reason ? $"{path}: {reason}" : null;

    private static bool IsPlain(string path) => path.Split('/').All(static word => word is not ("" or "." or ".."));

    private static string? Write(string path, string value)
    {
        try
        {
            File.WriteAllText(Root + path, value);
            return null;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return ErrorText.CauseOf(error);
        }
    }
}
