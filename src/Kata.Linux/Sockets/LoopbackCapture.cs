using Kata.Linux.Interop;

namespace Kata.Linux;

/// <summary>
/// Has two listening sockets take the connections to every port of 127.0.0.1 and of ::1 in a network namespace. Nothing is left there
/// when it is disposed, or when its process ends.
/// </summary>
/// <remarks>
/// By a program of BPF that the kernel asks for the socket of each new connection (BPF_PROG_TYPE_SK_LOOKUP, Linux 5.9;
/// Documentation/bpf/prog_sk_lookup.rst): no rules of netfilter, so that neither it nor its tools are needed, and others' rules are not
/// touched. It is asked before the listeners of the namespace are.
/// </remarks>
internal sealed class LoopbackCapture : IDisposable
{
    private const int MapLookup = 1; // enum bpf_func_id, as are those that follow
    private const int SocketRelease = 86;
    private const int SocketAssign = 124;

    private readonly SafeFileDescriptor _link;

    private LoopbackCapture(SafeFileDescriptor link) => _link = link;

    /// <summary>Begins.</summary>
    /// <param name="space">The network namespace. Borrowed.</param>
    /// <param name="version4">Listens in there. Borrowed.</param>
    /// <param name="version6">The same for IPv6; null where there is none. Borrowed.</param>
    /// <exception cref="LinuxException">The kernel does not know it, or CAP_BPF and CAP_NET_ADMIN are missing.</exception>
    public static LoopbackCapture Begin(SafeFileDescriptor space, SafeFileDescriptor version4, SafeFileDescriptor? version6)
    {
        using SafeFileDescriptor map = CreateMap();
        Put(map, 0, version4);
        if (version6 is not null)
        {
            Put(map, 1, version6);
        }

        using SafeFileDescriptor program = Load(Program(map.Number));
        // struct { prog_fd, target_fd, attach_type, flags } link_create
        return new LoopbackCapture(Call(
            LoopbackCalls.BPF_LINK_CREATE, [(uint)program.Number, (uint)space.Number, LoopbackCalls.BPF_SK_LOOKUP, 0],
            "have a program asked for sockets"));
    }

    public void Dispose() => _link.Dispose(); // the program and the map go with it

    /// <summary>
    /// The program: with a context of struct bpf_sk_lookup in register 1, gives a connection to 127.0.0.1 the first socket of the map, one
    /// to ::1 the second, and all others what they would have had.
    /// </summary>
    internal static ulong[] Program(int map)
    {
        const int Pass = 32; // where it ends
        return
        [
            /* 0 */ Instruction(0xbf, 6, 1), // r6 = context
            /* 1 */ Instruction(0x61, 7, 6, 12), // r7 = protocol
            /* 2 */ Instruction(0x55, 7, 0, Pass - 3, 6), // not TCP: pass
            /* 3 */ Instruction(0x61, 7, 6, 8), // r7 = family
            /* 4 */ Instruction(0x15, 7, 0, 10, LibC.AF_INET), // to 15
            /* 5 */ Instruction(0x61, 2, 6, 44), // the four parts of local_ip6, in the order of the wire
            /* 6 */ Instruction(0x55, 2, 0, Pass - 7),
            /* 7 */ Instruction(0x61, 2, 6, 48),
            /* 8 */ Instruction(0x55, 2, 0, Pass - 9),
            /* 9 */ Instruction(0x61, 2, 6, 52),
            /* 10 */ Instruction(0x55, 2, 0, Pass - 11),
            /* 11 */ Instruction(0x61, 2, 6, 56),
            /* 12 */ Instruction(0x55, 2, 0, Pass - 13, BitConverter.ToInt32([0, 0, 0, 1])),
            /* 13 */ Instruction(0xb7, 1, 0, 0, 1), // r1 = 1, the second socket
            /* 14 */ Instruction(0x05, 0, 0, 3), // to 18
            /* 15 */ Instruction(0x61, 2, 6, 40), // local_ip4, in the order of the wire
            /* 16 */ Instruction(0x55, 2, 0, Pass - 17, BitConverter.ToInt32([127, 0, 0, 1])),
            /* 17 */ Instruction(0xb7, 1), // r1 = 0, the first socket
            /* 18 */ Instruction(0x63, 10, 1, -4), // the key, on the stack
            /* 19 */ Instruction(0xbf, 2, 10),
            /* 20 */ Instruction(0x07, 2, 0, 0, -4), // r2 = its address
            /* 21, 22 */ Instruction(0x18, 1, 1, 0, map), 0, // r1 = the map, by its descriptor
            /* 23 */ Instruction(0x85, 0, 0, 0, MapLookup),
            /* 24 */ Instruction(0x15, 0, 0, Pass - 25), // no such socket: pass
            /* 25 */ Instruction(0xbf, 7, 0),
            /* 26 */ Instruction(0xbf, 1, 6),
            /* 27 */ Instruction(0xbf, 2, 7),
            /* 28 */ Instruction(0xb7, 3),
            /* 29 */ Instruction(0x85, 0, 0, 0, SocketAssign),
            /* 30 */ Instruction(0xbf, 1, 7),
            /* 31 */ Instruction(0x85, 0, 0, 0, SocketRelease),
            /* 32 */ Instruction(0xb7, 0, 0, 0, 1), // SK_PASS
            /* 33 */ Instruction(0x95),
        ];
    }

    // struct bpf_insn: an operation, two registers of four bits, an offset in words of the program or bytes of memory, and a number.
    private static ulong Instruction(byte operation, int to = 0, int from = 0, int offset = 0, int number = 0) =>
        operation | ((ulong)(uint)(to | (from << 4)) << 8) | ((ulong)(ushort)offset << 16) | ((ulong)(uint)number << 32);

    private static SafeFileDescriptor CreateMap() =>
        // struct { map_type, key_size, value_size, max_entries }
        Call(LoopbackCalls.BPF_MAP_CREATE, [LoopbackCalls.BPF_MAP_TYPE_SOCKMAP, sizeof(int), sizeof(int), 2], "make a map of sockets");

    private static unsafe void Put(SafeFileDescriptor map, int key, SafeFileDescriptor socket)
    {
        int value = socket.Number;
        // struct { map_fd, key, value, flags }
        ulong* attributes = stackalloc ulong[] { (uint)map.Number, (ulong)&key, (ulong)&value, 0 };
        // SAFETY: the kernel reads the attributes, and the key and the value that they point to: all live on this frame.
        LinuxException.ThrowIfNegative(
            LoopbackCalls.bpf_status(LoopbackCalls.BPF_MAP_UPDATE_ELEM, attributes, 4 * sizeof(ulong)), "bpf(BPF_MAP_UPDATE_ELEM)",
            "put a listening socket into a map");
    }

    private static unsafe SafeFileDescriptor Load(ulong[] program)
    {
        const int Length = 72; // up to expected_attach_type
        const int Count = 4, Instructions = 8, License = 16, AttachType = 68;
        byte* attributes = stackalloc byte[Length];
        new Span<byte>(attributes, Length).Clear();
        // SAFETY: the kernel reads the attributes, which live on this frame, and the program and the text, which are pinned for the call.
        fixed (ulong* first = program)
        fixed (byte* license = "Apache-2.0\0"u8)
        {
            *(uint*)attributes = LoopbackCalls.BPF_PROG_TYPE_SK_LOOKUP;
            *(uint*)(attributes + Count) = (uint)program.Length;
            *(ulong*)(attributes + Instructions) = (ulong)first;
            *(ulong*)(attributes + License) = (ulong)license;
            *(uint*)(attributes + AttachType) = LoopbackCalls.BPF_SK_LOOKUP;
            return LinuxException.ThrowIfInvalid(
                LoopbackCalls.bpf(LoopbackCalls.BPF_PROG_LOAD, attributes, Length), "bpf(BPF_PROG_LOAD)",
                "load a program that chooses sockets");
        }
    }

    private static unsafe SafeFileDescriptor Call(int command, ReadOnlySpan<uint> attributes, string action)
    {
        // SAFETY: the kernel reads the attributes, which are pinned for the call.
        fixed (uint* first = attributes)
        {
            return LinuxException.ThrowIfInvalid(
                LoopbackCalls.bpf(command, first, (uint)(attributes.Length * sizeof(uint))), "bpf", action);
        }
    }
}
