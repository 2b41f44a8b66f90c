namespace Kata.Configuration;

/// <summary>One thing that <see cref="ConfigurationValidator"/> found.</summary>
/// <param name="IsError">Whether no command works with it; else it is odd and accepted.</param>
/// <param name="Text">A sentence that names file and line.</param>
internal sealed record ConfigurationFinding(bool IsError, string Text);
