namespace Kata.Oci;

/// <summary>The name of a container, valid as a file name: <see cref="Parse"/> is the only way to make one.</summary>
/// <remarks>The rule is runc's, with the length a directory name may have.</remarks>
public readonly record struct ContainerId
{
    /// <summary>The longest id, in characters: what a directory name may have (NAME_MAX).</summary>
    public const int MaxLength = 255;

    private readonly string? _value;

    private ContainerId(string value) => _value = value;

    /// <summary>The text of the id.</summary>
    /// <exception cref="InvalidOperationException">This is the default value, which names no container.</exception>
    public string Value => _value ?? throw new InvalidOperationException("The default ContainerId names no container.");

    /// <summary>Accepts an id; the text is not trusted.</summary>
    /// <exception cref="InvalidSpecException">The id is empty, too long, or holds a character that is not allowed.</exception>
    public static ContainerId Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return new ContainerId(IdRule.Check(text, "container", MaxLength));
    }

    /// <summary>Refuses what cannot be the name of a further process in a container, by the same rule.</summary>
    internal static void CheckExec(string text) => IdRule.Check(text, "exec", MaxLength);

    /// <summary>As <see cref="Parse"/>, for names that need not be ids, such as those of a directory listing.</summary>
    internal static bool TryParse(string text, out ContainerId id)
    {
        bool valid = IdRule.IsValid(text, MaxLength);
        id = valid ? new ContainerId(text) : default;
        return valid;
    }

    /// <summary>The text of the id; empty for the default value.</summary>
    public override string ToString() => _value ?? "";
}
