using Kata.Oci;

namespace Kata.Runtime.Cni;

/// <summary>What a plugin is asked by its environment, checked. What a command has no need of may be empty.</summary>
/// <param name="Command">What to do.</param>
/// <param name="ContainerId">The engine's id of the pod, which need not be ours.</param>
/// <param name="NamespacePath">The pod's network namespace.</param>
/// <param name="InterfaceName">The interface that the chain is about.</param>
internal sealed record CniRequest(CniCommand Command, string ContainerId, string NamespacePath, string InterfaceName)
{
    private const int MaxInterfaceNameBytes = 15; // IFNAMSIZ without its NUL

    /// <param name="environment">Says what a variable is; null for one that is not set.</param>
    /// <exception cref="CniException">One is missing or wrong; the text names it.</exception>
    public static CniRequest Read(Func<string, string?> environment)
    {
        string Variable(string name) => environment(name) ?? "";

        string verb = Variable("CNI_COMMAND");
        CniCommand command = CommandOf(verb);
        var request = new CniRequest(command, Variable("CNI_CONTAINERID"), Variable("CNI_NETNS"), Variable("CNI_IFNAME"));
        string[] missing = [.. Needed(request).Where(static item => item.Value.Length == 0).Select(static item => item.Name)];
        if (missing.Length > 0)
        {
            throw Wrong($"Cannot run '{verb}': {string.Join(" and ", missing)} {(missing.Length == 1 ? "is" : "are")} not set");
        }

        if (request.ContainerId.Length > 0 && !IsId(request.ContainerId))
        {
            throw Wrong(
                $"Cannot run '{verb}': CNI_CONTAINERID is {SpecText.Quote(request.ContainerId)}, which is no id: letters, digits, '.', '_' "
                    + "and '-', the first one a letter or digit");
        }

        if (request.InterfaceName.Length > 0 && !IsInterfaceName(request.InterfaceName))
        {
            throw Wrong(
                $"Cannot run '{verb}': CNI_IFNAME is {SpecText.Quote(request.InterfaceName)}, which is no name of an interface: up to "
                    + $"{MaxInterfaceNameBytes} bytes without '/', ':' and white space");
        }

        return request;
    }

    /// <summary>Whether the specification takes a text for the id of a container, or the name of a network.</summary>
    internal static bool IsId(string text) =>
        text.Length > 0 && char.IsAsciiLetterOrDigit(text[0])
        && text.All(static c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-');

    private static bool IsInterfaceName(string name) =>
        System.Text.Encoding.UTF8.GetByteCount(name) <= MaxInterfaceNameBytes && name is not ("." or "..")
        && !name.Any(static c => c is '/' or ':' || char.IsWhiteSpace(c));

    private static CniCommand CommandOf(string verb) => verb switch
    {
        "ADD" => CniCommand.Add,
        "DEL" => CniCommand.Del,
        "CHECK" => CniCommand.Check,
        "STATUS" => CniCommand.Status,
        "GC" => CniCommand.Gc,
        "VERSION" => CniCommand.Version,
        "" => throw Wrong("Cannot run 'kata-cni': CNI_COMMAND is not set"),
        _ => throw Wrong(
            $"Cannot run {SpecText.Quote(verb)}: CNI_COMMAND is none of ADD, DEL, CHECK, STATUS, GC and VERSION"),
    };

    private static IEnumerable<(string Name, string Value)> Needed(CniRequest request)
    {
        if (request.Command is CniCommand.Add or CniCommand.Del or CniCommand.Check)
        {
            yield return ("CNI_CONTAINERID", request.ContainerId);
            if (request.Command != CniCommand.Del)
            {
                yield return ("CNI_NETNS", request.NamespacePath);
            }

            yield return ("CNI_IFNAME", request.InterfaceName);
        }
    }

    private static CniException Wrong(string text) => new(
        CniErrorCode.InvalidEnvironment, text, "Container engines call network plugins: name 'kata-cni' in a network configuration");
}
