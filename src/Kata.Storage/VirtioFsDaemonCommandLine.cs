using System.Globalization;

namespace Kata.Storage;

/// <summary>virtiofsd's argument vector, a pure function.</summary>
internal static class VirtioFsDaemonCommandLine
{
    /// <summary>The listening socket's number in the daemon.</summary>
    public const int SocketNumber = 3;

    /// <exception cref="StorageException">A value would change the meaning of another option.</exception>
    public static IReadOnlyList<string> Build(VirtioFsDaemonOptions options, VirtioFsDaemonKind kind)
    {
        if (options.SourceDirectory.Contains(',', StringComparison.Ordinal) || !options.SourceDirectory.StartsWith('/'))
        {
            throw new StorageException(
                $"Cannot share the directory '{options.SourceDirectory}': its path is relative or has a comma. Choose another '--root'");
        }

        // QEMU's has no 'metadata', which caches no content either: without the names too, all that differs is the speed.
        bool isC = kind == VirtioFsDaemonKind.C;
        if (options.CacheMode is not ("auto" or "always" or "none" or "never" or "metadata"))
        {
            throw new StorageException(
                $"Cannot start virtiofsd with the cache mode '{options.CacheMode}': unknown. "
                    + "Set 'virtio_fs_cache' to auto, always, metadata or never");
        }

        // Both keep a descriptor for each file that the guest knows, and would go on with the soft limit of whoever called us.
        string openFiles = string.Create(CultureInfo.InvariantCulture, $"--rlimit-nofile={options.OpenFiles}");
        string[] own = isC
            ?
            [
                "virtiofsd",
                $"--fd={SocketNumber}",
                "-f",
                openFiles,
                "-o", $"source={options.SourceDirectory}",
                "-o",
                $"sandbox=namespace,cache={(options.CacheMode is "never" or "metadata" ? "none" : options.CacheMode)},"
                    + "no_posix_lock,xattr,announce_submounts",
                "-o", "log_level=err",
            ]
            :
            [
                "virtiofsd",
                $"--fd={SocketNumber}",
                $"--shared-dir={options.SourceDirectory}",
                "--sandbox=namespace",
                "--seccomp=kill",
                $"--cache={(options.CacheMode == "none" ? "never" : options.CacheMode)}",
                "--xattr",
                "--announce-submounts",
                openFiles,
                "--log-level=error",
            ];
        return [.. own, .. options.ExtraArguments];
    }
}
