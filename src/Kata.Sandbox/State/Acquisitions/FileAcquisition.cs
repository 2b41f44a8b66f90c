using Kata.Linux;

namespace Kata.Sandbox;

/// <summary>A file, link or socket. Released by unlinking it.</summary>
internal sealed record FileAcquisition(string Path) : Acquisition(Name, Path)
{
    public const string Name = "File";

    public override Task ReleaseAsync(CancellationToken cancellationToken)
    {
        DirectoryTree.Remove(Path);
        return Task.CompletedTask;
    }
}
