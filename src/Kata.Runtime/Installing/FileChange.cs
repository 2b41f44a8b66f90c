namespace Kata.Runtime.Installing;

/// <summary>One file of a plan.</summary>
/// <param name="path">The file.</param>
/// <param name="before">Its text as it was read; null when there is none yet.</param>
/// <param name="after">What it shall be; null when it shall go.</param>
internal sealed class FileChange(string path, string? before, string? after)
{
    public string Path => path;

    public string? Before => before;

    public string? After => after;
}
