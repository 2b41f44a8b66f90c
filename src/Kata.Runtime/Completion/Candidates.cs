namespace Kata.Runtime.Completion;

/// <summary>What may stand at one place of a command line. The words are empty unless the kind is words.</summary>
internal readonly record struct Candidates(CandidateKind Kind, IReadOnlyList<string> Words);
