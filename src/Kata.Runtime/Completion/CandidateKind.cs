namespace Kata.Runtime.Completion;

/// <summary>The kinds of things that are completed.</summary>
internal enum CandidateKind
{
    /// <summary>Nothing that could be known.</summary>
    None,

    /// <summary>One of a few words.</summary>
    Words,

    Files,

    Directories,

    /// <summary>What <c>list --quiet</c> prints at that moment.</summary>
    ContainerIds,
}
