namespace Kata.Storage;

/// <summary>virtiofsd's argument vector, a pure function.</summary>
internal static class VirtioFsDaemonCommandLine
{
    /// <summary>The listening socket's number in the daemon.</summary>
    public const int SocketNumber = 3;

    /// <summary>The C daemon ships inside QEMU's own directory, the Rust one elsewhere.</summary>
    public static VirtioFsDaemonKind KindOf(VirtioFsDaemonOptions options) => options.Kind
        ?? (options.Path.Contains("/qemu/", StringComparison.Ordinal) ? VirtioFsDaemonKind.C : VirtioFsDaemonKind.Rust);

    /// <exception cref="StorageException">A value would change the meaning of another option.</exception>
    public static IReadOnlyList<string> Build(VirtioFsDaemonOptions options)
    {
        bool isC = KindOf(options) == VirtioFsDaemonKind.C;
        if (options.SourceDirectory.Contains(',', StringComparison.Ordinal) || !options.SourceDirectory.StartsWith('/'))
        {
            throw new StorageException(
                $"Cannot share the directory '{options.SourceDirectory}': its path is relative or has a comma. Choose another '--root'");
        }

        if (options.CacheMode is not ("auto" or "always" or "none" or "never"))
        {
            throw new StorageException(
                $"Cannot start virtiofsd with the cache mode '{options.CacheMode}': unknown. Set 'virtio_fs_cache' to auto, always or never");
        }

        string[] own = isC
            ?
            [
                "virtiofsd",
                $"--fd={SocketNumber}",
                "-f",
                // CAP_SYS_RESOURCE may be missing, and the daemon would end when it cannot raise the limit.
                "--rlimit-nofile=0",
                "-o", $"source={options.SourceDirectory}",
                "-o", $"sandbox=namespace,cache={(options.CacheMode == "never" ? "none" : options.CacheMode)},no_posix_lock,xattr,announce_submounts",
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
                "--rlimit-nofile=0",
                "--log-level=error",
            ];
        return [.. own, .. options.ExtraArguments];
    }
}
