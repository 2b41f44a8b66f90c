using System.Runtime.InteropServices;
using System.Threading.Channels;
using Kata.Linux;
using Kata.Linux.Interop;
using Microsoft.Extensions.Logging;

namespace Kata.Agent.Cgroups;

/// <summary>
/// Tells which containers lost a process to the out-of-memory killer: the kernel announces every change of memory.events.
/// </summary>
internal sealed class OomWatcher : IDisposable
{
    private const int QueueLimit = 1024; // a host that never asks loses the oldest news, not the guest's memory
    private const int EventHeader = 16; // struct inotify_event, sys/inotify.h

    private readonly DescriptorStream _inotify;
    private readonly Lock _gate = new();
    private readonly Dictionary<int, (string Container, Cgroup Cgroup, ulong Kills)> _watches = []; // guarded by _gate
    private readonly ILogger _logger;
    private readonly Channel<string> _events =
        Channel.CreateBounded<string>(new BoundedChannelOptions(QueueLimit) { FullMode = BoundedChannelFullMode.DropOldest });

    private Task? _loop; // guarded by _gate; ends on Dispose

    public OomWatcher(ILogger logger)
    {
        _logger = logger;
        _inotify = new DescriptorStream(LinuxException.ThrowIfInvalid(
            LibC.inotify_init1(LibC.IN_CLOEXEC | LibC.IN_NONBLOCK), "inotify_init1", "watch for memory shortage"));
    }

    /// <summary>Watches a container until its cgroup is removed.</summary>
    public void Watch(string container, Cgroup cgroup)
    {
        lock (_gate)
        {
            _loop ??= RunAsync();
            int watch = LibC.inotify_add_watch(_inotify.Descriptor, $"{cgroup.Directory}/memory.events", LibC.IN_MODIFY);
            if (watch >= 0) // no memory controller: no such news
            {
                _watches[watch] = (container, cgroup, Kills(cgroup));
            }
        }
    }

    /// <summary>The next container that lost a process; waits for ever.</summary>
    public ValueTask<string> NextAsync(CancellationToken cancellationToken) => _events.Reader.ReadAsync(cancellationToken);

    public void Dispose() => _inotify.Dispose();

    private static ulong Kills(Cgroup cgroup) => CgroupParser.ParseFlat(cgroup.Read("memory.events")).GetValueOrDefault("oom_kill");

    private async Task RunAsync()
    {
        byte[] buffer = new byte[4096];
        while (true)
        {
            int length;
            try
            {
                length = await _inotify.ReadAsync(buffer, CancellationToken.None);
            }
            catch (ObjectDisposedException)
            {
                return;
            }

            for (int at = 0; at + EventHeader <= length;)
            {
                int watch = MemoryMarshal.Read<int>(buffer.AsSpan(at));
                uint mask = MemoryMarshal.Read<uint>(buffer.AsSpan(at + 4));
                at += EventHeader + MemoryMarshal.Read<int>(buffer.AsSpan(at + 12));
                Handle(watch, mask);
            }
        }
    }

    private void Handle(int watch, uint mask)
    {
        string? container = null;
        lock (_gate)
        {
            if ((mask & LibC.IN_IGNORED) != 0)
            {
                _watches.Remove(watch);
            }
            else if (_watches.TryGetValue(watch, out (string Container, Cgroup Cgroup, ulong Kills) item))
            {
                ulong kills = Kills(item.Cgroup);
                if (kills > item.Kills)
                {
                    _watches[watch] = item with { Kills = kills };
                    container = item.Container;
                }
            }
        }

        if (container is not null)
        {
            _logger.OutOfMemory(container);
            _events.Writer.TryWrite(container);
        }
    }
}
