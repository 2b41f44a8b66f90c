using Kata.Linux;

namespace Kata.Storage;

/// <summary>One mount in the shared directory and those who use it.</summary>
internal sealed class SharedSource(string name, HostSource host)
{
    /// <summary>In the shared directory; never used twice, as the guest may remember what was there.</summary>
    public string Name { get; } = name;

    public SourceKey Key => host.Key;

    public DetachedMount Tree => host.Tree;

    public FileStatus Status => host.Status;

    /// <summary>How many leases there are.</summary>
    public int Users { get; set; }

    /// <summary>How many of them may write.</summary>
    public int Writers { get; set; }

    /// <summary>What the host lets the guest do at this moment.</summary>
    public bool IsReadOnly { get; set; }

    public void Dispose() => host.Dispose();
}
