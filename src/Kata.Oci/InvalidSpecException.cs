namespace Kata.Oci;

/// <summary>The caller's bundle or specification is wrong; nothing was done yet.</summary>
public sealed class InvalidSpecException : Exception
{
    /// <param name="field">The field as a JSON pointer (RFC 6901), empty for the whole document.</param>
    /// <param name="cause">What the field holds, without a full stop: <c>holds the number 5</c>.</param>
    /// <param name="remedy">What it may hold, as a sentence without its full stop: <c>It must be a string</c>.</param>
    /// <param name="innerException">The error that revealed it, if any.</param>
    internal InvalidSpecException(string field, string cause, string remedy, Exception? innerException = null)
        : this("Cannot use the specification", field, cause, remedy, innerException)
    {
    }

    private InvalidSpecException(string action, string field, string cause, string remedy, Exception? innerException)
        : base($"{action}: {(field.Length == 0 ? "" : SpecText.Clean(field) + ": ")}{cause}. {remedy}", innerException)
    {
        Field = field;
        Cause = cause;
        Remedy = remedy;
    }

    /// <summary>The field that is wrong, as a JSON pointer; empty when the document or the bundle as a whole is.</summary>
    public string Field { get; }

    /// <summary>What the field holds, or what is wrong with the bundle.</summary>
    public string Cause { get; }

    /// <summary>What the field may hold, or what to do.</summary>
    public string Remedy { get; }

    internal static InvalidSpecException ForBundle(string directory, string cause, string remedy, Exception? innerException = null) =>
        new($"Cannot load the bundle {SpecText.Quote(directory)}", "", cause, remedy, innerException);

    internal static InvalidSpecException ForId(string what, string id, string cause, string remedy) =>
        new($"Cannot use the {what} id {SpecText.Quote(id)}", "", cause, remedy, null);

    internal static InvalidSpecException ForSignal(string text) =>
        new(
            $"Cannot use the signal {SpecText.Quote(text)}",
            "",
            "there is none of that name or number",
            "Use a name such as SIGTERM or SIGRTMIN+3, with or without SIG, or a number from 1 to 64",
            null);

    internal static InvalidSpecException ForResources(string field, string cause, string remedy) =>
        new("Cannot use the resource limits", field, cause, remedy, null);

    /// <summary>The same finding with the bundle named.</summary>
    internal InvalidSpecException InBundle(string directory) =>
        new(
            $"Cannot load the bundle {SpecText.Quote(directory)}",
            Field,
            Field.Length == 0 ? $"config.json {Cause}" : Cause,
            Remedy,
            InnerException);

    /// <summary>The same finding with the file named that was read instead of a bundle's.</summary>
    internal InvalidSpecException InFile(string path) =>
        new($"Cannot use the file {SpecText.Quote(path)}", Field, Field.Length == 0 ? $"it {Cause}" : Cause, Remedy, InnerException);
}
