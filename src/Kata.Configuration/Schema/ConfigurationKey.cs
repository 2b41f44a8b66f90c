namespace Kata.Configuration;

/// <summary>One key of the configuration: the loader, the template and the annotations all work from this definition.</summary>
/// <param name="Section">The table: <c>hypervisor</c>, <c>agent</c>, <c>runtime</c>, <c>kata</c> and so on, without the name part.</param>
/// <param name="Name">The key.</param>
/// <param name="Type">The type of its value.</param>
/// <param name="Default">A string, bool, long, double or string[]; null when it is computed from the machine or the installation.</param>
/// <param name="Use">What is done with it.</param>
/// <param name="Description">For the template: what it does, in whole sentences.</param>
internal sealed record ConfigurationKey(
    string Section, string Name, ConfigurationType Type, object? Default, KeyUse Use, string Description)
{
    /// <summary>What is shown in the template where <see cref="Default"/> is null.</summary>
    internal string? Example { get; init; }

    /// <summary>The strings that are allowed; all when null.</summary>
    internal IReadOnlyList<string>? Choices { get; init; }

    /// <summary>The smallest number allowed.</summary>
    internal double Minimum { get; init; } = double.NegativeInfinity;

    /// <summary>The largest number allowed.</summary>
    internal double Maximum { get; init; } = double.PositiveInfinity;

    /// <summary>The unit of a number, for error texts and the template: <c>MiB</c>, <c>seconds</c>.</summary>
    internal string Unit { get; init; } = "";

    /// <summary>The key whose list of patterns bounds what an annotation may set here; the value is a path then.</summary>
    internal string? BoundedBy { get; init; }

    /// <summary>The section and name, as <see cref="ConfigurationValues"/> indexes them.</summary>
    internal string Id => $"{Section}.{Name}";

    /// <summary>What the value may be, as the end of a sentence: <c>a whole number from 256, in MiB</c>.</summary>
    internal string Allowed
    {
        get
        {
            if (Choices is not null)
                return "one of " + string.Join(", ", Choices.Select(choice => $"\"{choice}\""));
            return Type switch
            {
                ConfigurationType.Flag => "true or false",
                ConfigurationType.Whole => "a whole number" + Range,
                ConfigurationType.Number => "a number" + Range,
                ConfigurationType.TextList => "an array of strings",
                ConfigurationType.Text => "a string",
                _ => "any value",
            };
        }
    }

    private string Range
    {
        get
        {
            string range = (double.IsInfinity(Minimum), double.IsInfinity(Maximum)) switch
            {
                (true, true) => "",
                (false, true) => FormattableString.Invariant($" from {Minimum} on"),
                (true, false) => FormattableString.Invariant($" up to {Maximum}"),
                _ => FormattableString.Invariant($" from {Minimum} to {Maximum}"),
            };
            return Unit.Length == 0 ? range : $"{range}, in {Unit}";
        }
    }
}
