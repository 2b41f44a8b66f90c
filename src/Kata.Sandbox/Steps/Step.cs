namespace Kata.Sandbox;

/// <summary>
/// One thing that a pod acquires: a directory, a daemon, a disk, a machine, a word to the guest. The same step serves the boot, a change of
/// the living pod, and its removal. What it makes is its own until <see cref="UndoAsync"/>; other steps reach it through the step.
/// </summary>
internal abstract class Step
{
    /// <summary>What it acquires, for records and for people: <c>the disk 'data'</c>.</summary>
    public abstract string Name { get; }

    /// <summary>What has to be there first, and to stay for as long as this.</summary>
    public virtual IReadOnlyList<Step> Needs => [];

    /// <summary>What is written in the journal before <see cref="DoAsync"/> begins, and taken back after <see cref="UndoAsync"/>.</summary>
    public virtual IReadOnlyList<Acquisition> Records => [];

    /// <summary>Acquires it. One that fails leaves nothing behind: it is not undone.</summary>
    public abstract Task DoAsync(CancellationToken cancellationToken);

    /// <summary>Releases it. One that fails has released nothing, or can be called again for the rest.</summary>
    public abstract Task UndoAsync(CancellationToken cancellationToken);
}
