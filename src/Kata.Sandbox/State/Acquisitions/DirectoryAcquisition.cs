using Kata.Linux;

namespace Kata.Sandbox;

/// <summary>A directory with all that is in it. Released without crossing a mount point or following a link.</summary>
internal sealed record DirectoryAcquisition(string Path) : Acquisition(Name, Path)
{
    public const string Name = "Directory";

    public override Task ReleaseAsync(CancellationToken cancellationToken)
    {
        DirectoryTree.Remove(Path);
        return Task.CompletedTask;
    }
}
