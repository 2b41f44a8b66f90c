using Kata.Storage;

namespace Kata.Sandbox;

/// <summary>A container's root file system from before its files are laid out in it until it is deleted. One caller at a time.</summary>
internal abstract class OpenRoot
{
    /// <summary>Whether what is shared of it is read-only, whatever others do with it.</summary>
    public virtual bool ReadOnly => false;

    /// <summary>What of it goes into the share, and whether the container may write to it: one source, or none.</summary>
    public virtual IReadOnlyList<(HostSource Source, bool Writable)> Shared => [];

    /// <summary>What is mounted in it on the host.</summary>
    public virtual IReadOnlyList<HostSource> Mounted => [];

    /// <summary>Where a destination of the specification is, as far as that can be known here.</summary>
    /// <param name="destination">Absolute.</param>
    /// <param name="mounted">What is mounted before, as this method gave it.</param>
    /// <returns>Absolute, without <c>.</c> and <c>..</c>.</returns>
    public abstract string Resolve(string destination, IReadOnlySet<string> mounted);

    /// <summary>Makes what the guest's runtime needs in it and does not make itself.</summary>
    /// <param name="layers">What is mounted in the container.</param>
    /// <param name="workingDirectory">Of its first process.</param>
    public virtual void MakeMountPoints(IReadOnlyList<MountLayer> layers, string workingDirectory)
    {
    }

    /// <summary>Where the guest has it.</summary>
    /// <param name="place">Of <see cref="Shared"/>; null without one.</param>
    public abstract string PathInGuest(SharedPlace? place);

    /// <summary>
    /// Takes it back before a container has it, and before anything of it is in the share. What fails is logged: why there is no container
    /// is what its caller is to be told.
    /// </summary>
    public abstract Task AbandonAsync();

    /// <summary>Takes it back when nothing in the guest uses it any more; what was in the share is the share's.</summary>
    public virtual Task ReleaseAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
