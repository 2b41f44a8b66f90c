using System.Globalization;
using Kata.Agent.Protocol.Extension;
using Kata.Linux;
using Kata.Linux.Interop;
using Kata.Oci;
using Kata.Storage;
using Microsoft.Extensions.Logging;
using GuestMount = Kata.Agent.Protocol.Oci.Mount;

namespace Kata.Sandbox;

/// <summary>
/// Brings into living containers what the host mounts below their volumes, and takes it away when the host does: volumes with the options
/// <c>rslave</c> and <c>rshared</c>. What a container mounts itself does not come to the host: it is a mount of another kernel.
/// </summary>
/// <remarks>
/// The kernel tells a change of the service's own mounts; what is mounted then goes the way of every volume, into the share and, by the
/// agent, into the container. Not by propagation to the daemon: its descriptors would keep the host from unmounting.
/// </remarks>
/// <param name="agent">The guest's.</param>
/// <param name="directory">Where copies of the volumes are mounted; made when it is needed.</param>
/// <param name="callerMountNamespace">Whose paths the volumes have; null for our own.</param>
/// <param name="log">For what could not be done.</param>
internal sealed class MountPropagation(
    AgentConnection agent, string directory, SafeFileDescriptor? callerMountNamespace, ILogger log) : IAsyncDisposable
{
    private readonly List<Watched> _watched = []; // guarded by _turn
    private readonly SemaphoreSlim _turn = new(1, 1);
    private readonly CancellationTokenSource _stopping = new();
    private Task _loop = Task.CompletedTask; // from the first volume on; ends on _stopping
    private int _names; // guarded by _turn

    /// <summary>Follows the host for the volumes of a container that exists.</summary>
    public async Task WatchAsync(ContainerId container, ContainerFiles files, CancellationToken cancellationToken)
    {
        if (files.Propagating.Count == 0)
        {
            return;
        }

        if (!agent.SupportsMounts)
        {
            log.ContainerWarning(
                container,
                "The agent of this guest cannot mount in a living container: what the host mounts below the volumes later stays out");
            return;
        }

        await _turn.WaitAsync(cancellationToken);
        try
        {
            foreach (PropagatingVolume volume in files.Propagating)
            {
                string place = Path.Combine(directory, (_names++).ToString(CultureInfo.InvariantCulture));
                Directory.CreateDirectory(place);
                if (PropagatedVolume.Open(volume.HostPath, place, callerMountNamespace) is { } copy)
                {
                    _watched.Add(new Watched(container, files, volume, copy));
                }
                else
                {
                    Directory.Delete(place);
                }
            }

            if (_watched.Count > 0 && _loop.IsCompleted)
            {
                _loop = RunAsync().LoggedAsync(log);
            }
        }
        finally
        {
            _turn.Release();
        }

        await CompareAsync(); // what came since the volumes were opened
    }

    /// <summary>Ends what <see cref="WatchAsync"/> began. The shares are the container's to give back.</summary>
    public async Task ForgetAsync(ContainerId container)
    {
        await _turn.WaitAsync();
        try
        {
            var cleanUp = new CleanUp();
            foreach (Watched watched in _watched.Where(item => item.Container == container))
            {
                cleanUp.Try(watched.Dispose);
            }

            _watched.RemoveAll(item => item.Container == container);
            cleanUp.ThrowIfFailed();
        }
        finally
        {
            _turn.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _loop;
        _watched.ForEach(static watched => watched.Dispose());
        _stopping.Dispose();
    }

    private async Task RunAsync()
    {
        using PolledDescriptor mounts = PolledDescriptor.ForChanges(
            LinuxException.ThrowIfInvalid(
                LibC.open("/proc/self/mountinfo", LibC.O_RDONLY | LibC.O_CLOEXEC, 0), "open", "watch the mounts"));
        while (true)
        {
            // First armed, then looked: to poll the file is to take its news, and epoll polls once to arm and once more to tell.
            Task changed = mounts.WaitReadableAsync(_stopping.Token);
            try
            {
                await CompareAsync();
            }
            catch (IOException error)
            {
                // Without a free descriptor, for example: the next change looks again.
                log.PlanWarning($"Volumes do not follow the host's mounts until these change again: {FileErrors.CauseOf(error)}");
            }

            await changed;
        }
    }

    // Most changes are of mounts that are not ours to see.
    private async Task CompareAsync()
    {
        await _turn.WaitAsync(_stopping.Token);
        try
        {
            IReadOnlyList<MountInfo> mounts = MountInfo.Read();
            foreach (Watched watched in _watched)
            {
                IReadOnlyList<ulong> ids = watched.Copy.MountIds(mounts);
                if (!ids.SequenceEqual(watched.Seen))
                {
                    watched.Seen = ids;
                    await FollowAsync(watched);
                }
            }
        }
        finally
        {
            _turn.Release();
        }
    }

    private async Task FollowAsync(Watched watched)
    {
        IReadOnlyList<HostSource> sources;
        try
        {
            sources = watched.Copy.OpenBelow();
        }
        catch (LinuxException error)
        {
            log.ContainerWarning(watched.Container, error.Message);
            return;
        }

        Dictionary<(string Place, SourceKey Key), SharedPlace> below = watched.Volume.Below;
        foreach ((string Place, SourceKey Key) gone in below.Keys.Except(sources.Select(static source => (source.Place, source.Key)))
            .OrderByDescending(static item => item.Place.Length).ToArray())
        {
            await AttemptAsync(watched, async () =>
            {
                below.Remove(gone, out SharedPlace? place);
                await AgentConnection.CallAsync($"unmount in the container '{watched.Container}'", agent.Extension!.RemoveMountAsync(
                    new RemoveMountRequest { ContainerId = watched.Container.Value, Destination = watched.Destination(gone.Place) },
                    agent.Timed(_stopping.Token)));
                watched.Files.Remove(place!);
            });
        }

        foreach (HostSource source in sources)
        {
            if (below.ContainsKey((source.Place, source.Key)))
            {
                source.Dispose();
                continue;
            }

            await AttemptAsync(watched, async () =>
            {
                SharedPlace place = watched.Files.Add(source);
                string destination = watched.Destination(source.Place);
                foreach (GuestMount mount in MountLayer.Within(place, destination, source.ReadOnly)
                    .Prepend(MountLayer.Over(("", place), destination, source.ReadOnly)))
                {
                    await agent.AddMountAsync(watched.Container.Value, mount, _stopping.Token);
                }

                below[(source.Place, source.Key)] = place;
            });
        }
    }

    private async Task AttemptAsync(Watched watched, Func<Task> change)
    {
        try
        {
            await change();
        }
        catch (Exception error) when (error is LinuxException or AgentException)
        {
            log.ContainerWarning(
                watched.Container,
                $"'{watched.Volume.Destination}' does not show what is mounted below '{watched.Volume.HostPath}' now: {error.Message}");
        }
    }

    private sealed class Watched(ContainerId container, ContainerFiles files, PropagatingVolume volume, PropagatedVolume copy) : IDisposable
    {
        public ContainerId Container { get; } = container;

        public ContainerFiles Files { get; } = files;

        public PropagatingVolume Volume { get; } = volume;

        public PropagatedVolume Copy { get; } = copy;

        /// <summary>The mounts below it when it was last looked at.</summary>
        public IReadOnlyList<ulong> Seen { get; set; } = [];

        public string Destination(string place) => $"{Volume.Destination.TrimEnd('/')}/{place}";

        public void Dispose()
        {
            Copy.Dispose();
            try
            {
                Directory.Delete(Copy.Directory);
            }
            catch (IOException)
            {
                // It goes with the pod's directory; what the container has must be given back all the same.
            }
        }
    }
}
