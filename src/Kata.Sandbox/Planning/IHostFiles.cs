namespace Kata.Sandbox;

/// <summary>What a plan must know of the host's files.</summary>
internal interface IHostFiles
{
    /// <summary>The host's own name, <c>/proc/sys/kernel/hostname</c>.</summary>
    string HostName { get; }

    /// <summary>What the absolute <paramref name="path"/> is, links followed.</summary>
    HostFileKind KindOf(string path);

    /// <summary>How many bytes the tmpfs at <paramref name="path"/> may hold; null when it is no tmpfs.</summary>
    long? TmpfsSize(string path);

    /// <summary>
    /// The number of the namespace that the file at <paramref name="path"/> holds, links followed; null when there is none. Two files with
    /// one number hold one namespace, namespaces(7).
    /// </summary>
    ulong? NamespaceAt(string path);
}
