namespace Kata.Sandbox;

/// <summary>
/// A thing that a pod holds on the host, as the journal keeps it: enough to find it and to release it, by a process that did not make it.
/// To release what is gone already, or was never made, does nothing.
/// </summary>
/// <param name="Kind">Its kind's name in the journal.</param>
/// <param name="Value">What tells it from others of its kind.</param>
internal abstract record Acquisition(string Kind, string Value)
{
    /// <summary>How long a killed process may take to end; the kernel needs a moment to free a VM's memory.</summary>
    protected static readonly TimeSpan KillTimeout = TimeSpan.FromSeconds(10);

    private static readonly Dictionary<string, Func<string, Acquisition>> s_kinds = new(StringComparer.Ordinal)
    {
        [CgroupAcquisition.Name] = static value => new CgroupAcquisition(value),
        [ServiceAcquisition.Name] = static value => new ServiceAcquisition(value),
        [ProcessAcquisition.Name] = static value => new ProcessAcquisition(value),
        [FileAcquisition.Name] = static value => new FileAcquisition(value),
        [SocketAcquisition.Name] = static value => new SocketAcquisition(value),
        [RedirectAcquisition.Name] = static value => new RedirectAcquisition(value),
        [HostCardAcquisition.Name] = static value => new HostCardAcquisition(value),
        [DirectoryAcquisition.Name] = static value => new DirectoryAcquisition(value),
    };

    /// <summary>What a line of the journal stands for; an <see cref="UnknownAcquisition"/> when a later version wrote it.</summary>
    public static Acquisition Of(string kind, string value) =>
        s_kinds.TryGetValue(kind, out Func<string, Acquisition>? make) ? make(value) : new UnknownAcquisition(kind, value);

    /// <summary>Releases it.</summary>
    /// <exception cref="Kata.Linux.LinuxException">The kernel refused. The call may be repeated, as after the other exceptions.</exception>
    /// <exception cref="IOException">A file could not be removed.</exception>
    /// <exception cref="Kata.Network.NetworkException">An interface could not be taken back from its guest.</exception>
    /// <exception cref="TimeoutException">A killed process does not end.</exception>
    public abstract Task ReleaseAsync(CancellationToken cancellationToken);
}
