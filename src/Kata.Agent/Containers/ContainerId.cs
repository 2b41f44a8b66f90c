namespace Kata.Agent.Containers;

/// <summary>A container's name, by runc's rule: letters, digits and <c>_ + . -</c>, as it becomes part of paths.</summary>
internal readonly record struct ContainerId
{
    private const int LengthLimit = 255; // NAME_MAX

    private ContainerId(string value) => Value = value;

    public string Value { get; }

    /// <summary>
    /// What crun is told: it names a keyring so too, and the kernel keeps names with a leading dot for itself (add_key(2)). No name has a
    /// '~' otherwise.
    /// </summary>
    public string CrunName => Value.StartsWith('.') ? $"~{Value[1..]}" : Value;

    /// <exception cref="Grpc.Core.RpcException">InvalidArgument.</exception>
    public static ContainerId Parse(string text) => new(Check(text, "container id"));

    /// <summary>The same rule for the name of a further process in a container.</summary>
    public static string ParseExec(string text) => Check(text, "exec id");

    public override string ToString() => Value;

    private static string Check(string text, string what)
    {
        bool valid = text.Length is > 0 and <= LengthLimit && text is not ("." or "..")
            && text.All(static c => char.IsAsciiLetterOrDigit(c) || c is '_' or '+' or '.' or '-');
        return valid ? text : throw AgentException.Invalid(
            $"Cannot use the {what}: it must be 1 to {LengthLimit} letters, digits or '_+.-', and neither '.' nor '..'");
    }
}
