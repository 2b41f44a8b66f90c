namespace Kata.Repo.Tests;

/// <summary>A place where a rule is broken.</summary>
internal sealed record Finding(string File, int Line, string Text)
{
    public override string ToString() => $"{File}:{Line}: {Text}";
}
