namespace Kata.Agent.Containers;

/// <summary>A container's name. It becomes part of paths, so only letters, digits, <c>_ + . -</c> and never a leading dot.</summary>
internal readonly record struct ContainerId
{
    private const int LengthLimit = 256;

    private ContainerId(string value) => Value = value;

    public string Value { get; }

    /// <exception cref="Grpc.Core.RpcException">InvalidArgument.</exception>
    public static ContainerId Parse(string text) => new(Check(text, "container id"));

    /// <summary>The same rule for the name of a further process in a container.</summary>
    public static string ParseExec(string text) => Check(text, "exec id");

    public override string ToString() => Value;

    private static string Check(string text, string what)
    {
        bool valid = text.Length is > 0 and <= LengthLimit && text[0] != '.'
            && text.All(static c => char.IsAsciiLetterOrDigit(c) || c is '_' or '+' or '.' or '-');
        return valid ? text : throw AgentException.Invalid($"Cannot use the {what}: it must be 1 to {LengthLimit} letters, digits or '_+.-'");
    }
}
