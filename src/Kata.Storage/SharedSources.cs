using System.Globalization;
using Kata.Linux;
using Kata.Linux.Interop;

namespace Kata.Storage;

/// <summary>
/// What a pod's containers see of the host's files. Each source is shared once, however many of them name it, and by whatever path: a
/// mount in the share is a file system of its own in the guest, and one file must not be two there. Two would have two page caches, and
/// what one container writes the other would overwrite; sockets, fifos, locks and inotify would not meet.
/// </summary>
/// <remarks>
/// A source that lies in another one is served from there, unless that would let the guest write to more than a container of the pod
/// may: then, and when the larger one comes later, it stays on its own, and is mounted over its place in the larger one. On the host a
/// source is read-only for as long as no container may write to it.
/// </remarks>
/// <param name="share">Where they are mounted.</param>
/// <param name="daemon">The process that serves it.</param>
/// <param name="time">The clock.</param>
internal sealed class SharedSources(SharedDirectory share, Func<int> daemon, TimeProvider time) : IAsyncDisposable
{
    /// <summary>Until the first new attempt to take the right to write away: FUSE closes a file some moments after its last user.</summary>
    private static readonly TimeSpan s_firstPause = TimeSpan.FromMilliseconds(100);

    /// <summary>Each further pause is twice as long as the one before, up to this: a guest may hold a file for ever.</summary>
    private static readonly TimeSpan s_longestPause = TimeSpan.FromMinutes(1);

    private readonly CancellationTokenSource _stopping = new();
    private readonly Lock _gate = new();
    private Task _closing = Task.CompletedTask; // guarded by _gate; ends when every source without a writer is read-only, or on _stopping
    private readonly List<SharedSource> _sources = []; // guarded by _gate
    private int _names; // guarded by _gate

    /// <summary>Shares sources, which belong to this object from here on, for one container.</summary>
    /// <param name="wanted">Each with whether the container may write to it.</param>
    /// <returns>A lease for each, in the same order.</returns>
    /// <exception cref="LinuxException">The kernel refused. Nothing is shared then.</exception>
    public IReadOnlyList<SharedPlace> Acquire(IReadOnlyList<(HostSource Source, bool Writable)> wanted)
    {
        var places = new SharedPlace?[wanted.Count];
        lock (_gate)
        {
            try
            {
                // The larger ones first, so that what lies in one is served from there; of equals the one that may be written to.
                foreach (int i in Enumerable.Range(0, wanted.Count)
                    .OrderBy(i => wanted[i].Source.Key.Path.Length).ThenBy(i => !wanted[i].Writable))
                {
                    places[i] = AcquireOne(wanted[i].Source, wanted[i].Writable);
                }

                for (int i = 0; i < places.Length; i++)
                {
                    LeaseWithin(places[i]!);
                }
            }
            catch
            {
                ReleaseAll(places.OfType<SharedPlace>());
                throw;
            }
            finally
            {
                foreach ((HostSource source, _) in wanted)
                {
                    if (!_sources.Exists(item => item.Tree == source.Tree))
                    {
                        source.Dispose();
                    }
                }
            }
        }

        return places!;
    }

    /// <summary>
    /// Leases what lies in a place and was shared on its own account since, for the one who has the
    /// place: it must mount it over its place there.
    /// </summary>
    /// <returns>Only what is new of <see cref="SharedPlace.Within"/>.</returns>
    public IReadOnlyList<(string Place, SharedPlace Shared)> Follow(SharedPlace place)
    {
        lock (_gate)
        {
            int before = place.Within.Count;
            LeaseWithin(place);
            return [.. place.Within.Skip(before)];
        }
    }

    /// <summary>Gives leases back. What nobody uses any more is unmounted.</summary>
    /// <exception cref="LinuxException">The first failure; the others are given back all the same.</exception>
    public void Release(IEnumerable<SharedPlace> places)
    {
        LinuxException? first;
        lock (_gate)
        {
            first = ReleaseAll(places);
        }

        if (first is not null)
        {
            throw first;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        Task closing;
        lock (_gate)
        {
            closing = _closing;
        }

        await closing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stopping.Dispose();
    }

    // Of what has the source in it, the nearest: it is what the others have mounted over their copies.
    private SharedPlace AcquireOne(HostSource source, bool writable)
    {
        SharedSource? found = null;
        string? path = null;
        foreach (SharedSource item in _sources.OrderByDescending(static item => item.Key.Path.Length))
        {
            if (item.Key.PathTo(source.Key) is { } below && IsThere(item, below, source.Status))
            {
                (found, path) = (item, below);
                break;
            }
        }

        if (found is null || (writable && found.IsReadOnly && path!.Length > 0))
        {
            var name = _names.ToString(CultureInfo.InvariantCulture);
            _names++;
            share.Add(source.Tree, name, readOnly: !writable);
            (found, path) = (new SharedSource(name, source) { IsReadOnly = !writable }, "");
            _sources.Add(found);
        }

        return Lease(found, source.Key, path!, writable);
    }

    // Added one by one: also those of a place that fails half-way are released with it.
    private void LeaseWithin(SharedPlace place)
    {
        foreach (SharedSource item in _sources.Where(item => item != place.Source).OrderBy(static item => item.Key.Path.Length))
        {
            if (!place.Within.Any(within => within.Shared.Source == item)
                && place.Key.PathTo(item.Key) is { Length: > 0 } below
                && place.Source.Key.PathTo(item.Key) is { } inSource && IsThere(place.Source, inSource, item.Status))
            {
                place.AddWithin(below, Lease(item, item.Key, "", place.Writable));
            }
        }
    }

    private SharedPlace Lease(SharedSource source, SourceKey key, string path, bool writable)
    {
        if (writable && source.IsReadOnly)
        {
            SharedDirectory.SetReadOnly(source.Name, readOnly: false, daemon());
            source.IsReadOnly = false;
        }

        source.Users++;
        source.Writers += writable ? 1 : 0;
        return new SharedPlace(source, key, path.Length == 0 ? source.Name : $"{source.Name}/{path}", writable);
    }

    // A name says where something was when it was shared. It may have been renamed, or replaced, by the guest too.
    private static bool IsThere(SharedSource source, string below, FileStatus wanted)
    {
        if (below.Length == 0)
        {
            return source.Status.IsSameFile(wanted);
        }

        using SafeFileDescriptor file = LibC.openat2(source.Tree.Descriptor, below, new OpenHow
        {
            flags = (ulong)(LibC.O_PATH | LibC.O_NOFOLLOW | LibC.O_CLOEXEC),
            resolve = LibC.RESOLVE_BENEATH | LibC.RESOLVE_NO_SYMLINKS | LibC.RESOLVE_NO_XDEV,
        });
        return !file.IsInvalid && FileStatus.Of(file).IsSameFile(wanted);
    }

    private LinuxException? ReleaseAll(IEnumerable<SharedPlace> places)
    {
        LinuxException? first = null;
        foreach (SharedPlace place in places.SelectMany(static place => place.Within.Select(static item => item.Shared).Append(place)))
        {
            try
            {
                ReleaseOne(place);
            }
            catch (LinuxException error)
            {
                first ??= error;
            }
        }

        return first;
    }

    private void ReleaseOne(SharedPlace place)
    {
        SharedSource source = place.Source;
        source.Users--;
        source.Writers -= place.Writable ? 1 : 0;
        if (source.Users == 0)
        {
            _sources.Remove(source);
            try
            {
                share.Remove(source.Tree, source.Name);
            }
            finally
            {
                source.Dispose();
            }
        }
        else if (IsToBeClosed(source) && !TryClose(source) && _closing.IsCompleted)
        {
            _closing = CloseLaterAsync();
        }
    }

    private static bool IsToBeClosed(SharedSource source) => source is { Writers: 0, IsReadOnly: false };

    // False while the guest has a file open for writing.
    private bool TryClose(SharedSource source)
    {
        try
        {
            SharedDirectory.SetReadOnly(source.Name, readOnly: true, daemon());
            return source.IsReadOnly = true;
        }
        catch (LinuxException error) when (error.Errno is Errno.EBUSY)
        {
            return false;
        }
    }

    private async Task CloseLaterAsync()
    {
        for (TimeSpan pause = s_firstPause; ; pause = pause * 2 < s_longestPause ? pause * 2 : s_longestPause)
        {
            await Task.Delay(pause, time, _stopping.Token);
            lock (_gate)
            {
                try
                {
                    if (_sources.Where(IsToBeClosed).All(TryClose))
                    {
                        _closing = Task.CompletedTask;
                        return;
                    }
                }
                catch (LinuxException)
                {
                    _closing = Task.CompletedTask;
                    return; // the daemon has ended, and with it every right
                }
            }
        }
    }
}
