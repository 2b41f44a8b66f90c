using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Kata.Linux.Interop;

namespace Kata.Linux;

/// <summary>
/// One epoll thread for the whole process. A waiter arms one direction of one descriptor, once; the loop sleeps in the
/// kernel whenever nobody is ready, so an idle process uses no CPU.
/// </summary>
/// <remarks>
/// Why not <c>System.Net.Sockets</c>: it refuses pipes, terminals, AF_VSOCK and character devices, all of which carry our
/// bytes, and costs three times the CPU per request. Continuations run on the thread pool, never on the loop.
/// Slots are never reused: a <see cref="PolledDescriptor"/> removes itself before its
/// descriptor is closed, so a reused number can never wake the wrong waiter.
/// </remarks>
internal sealed class EventLoop
{
    private const int BatchSize = 64;

    private static readonly Lazy<EventLoop> s_shared = new(() => new EventLoop());

    private readonly SafeFileDescriptor _epoll;
    private readonly Lock _gate = new();
    private readonly Dictionary<long, PolledDescriptor> _slots = []; // guarded by _gate
    private long _nextSlot; // guarded by _gate

    private EventLoop()
    {
        _epoll = LinuxException.ThrowIfInvalid(LibC.epoll_create1(LibC.EPOLL_CLOEXEC), "epoll_create1", "create the event loop");
        // Ends with the process; a background thread does not keep it alive.
        new Thread(Run, maxStackSize: 128 * 1024) { IsBackground = true, Name = "event loop" }.Start();
    }

    public static EventLoop Shared => s_shared.Value;

    internal long Add(PolledDescriptor descriptor)
    {
        long slot;
        lock (_gate)
        {
            slot = ++_nextSlot;
            _slots[slot] = descriptor;
        }

        // One-shot from the start: EPOLLHUP and EPOLLERR are reported even when not asked for (epoll_ctl(2)), and of a peer that
        // went while nobody waits they would be reported without end.
        if (Control(LibC.EPOLL_CTL_ADD, descriptor.Descriptor, LibC.EPOLLONESHOT, slot) < 0)
        {
            LinuxException error = LinuxException.FromLastErrno("epoll_ctl(ADD)", "watch a descriptor");
            lock (_gate)
            {
                _slots.Remove(slot);
            }

            throw error;
        }

        return slot;
    }

    internal void Arm(PolledDescriptor descriptor, uint events) =>
        LinuxException.ThrowIfNegative(
            Control(LibC.EPOLL_CTL_MOD, descriptor.Descriptor, events | LibC.EPOLLONESHOT, descriptor.Slot),
            "epoll_ctl(MOD)",
            "watch a descriptor");

    internal void Remove(PolledDescriptor descriptor)
    {
        lock (_gate)
        {
            _slots.Remove(descriptor.Slot);
        }

        _ = Control(LibC.EPOLL_CTL_DEL, descriptor.Descriptor, 0, descriptor.Slot); // gone already is as good
    }

    private unsafe int Control(int operation, SafeFileDescriptor fd, uint events, long slot)
    {
        // struct epoll_event is packed (12 bytes) on x86-64 only, see sys/epoll.h.
        byte* item = stackalloc byte[16];
        Unsafe.WriteUnaligned(item, events);
        Unsafe.WriteUnaligned(item + DataOffset, slot);
        // SAFETY: the kernel copies the item before epoll_ctl returns.
        return LibC.epoll_ctl(_epoll, operation, fd, item);
    }

    private static int DataOffset => RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 4 : 8;

    private static int ItemSize => DataOffset + 8;

    private unsafe void Run()
    {
        byte* events = stackalloc byte[BatchSize * 16];
        while (true)
        {
            // SAFETY: the buffer holds BatchSize items of the larger of the two layouts.
            int count = LibC.epoll_wait(_epoll, events, BatchSize, -1);
            for (int i = 0; i < count; i++)
            {
                byte* item = events + (i * ItemSize);
                uint ready = Unsafe.ReadUnaligned<uint>(item);
                long slot = Unsafe.ReadUnaligned<long>(item + DataOffset);
                PolledDescriptor? descriptor;
                lock (_gate)
                {
                    _slots.TryGetValue(slot, out descriptor);
                }

                descriptor?.OnReady(ready);
            }
        }
    }
}
