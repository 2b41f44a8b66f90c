using System.Runtime.InteropServices;
using System.Text;
using Kata.Linux.Interop;

namespace Kata.Linux;

/// <summary>
/// A child ready to start: everything that opens, duplicates or marshals is done, <see cref="Launch"/> is one call into libc.
/// </summary>
/// <remarks>
/// Made for threads that have given up their root directory or their identity (<see cref="Jail"/>): between that and the spawn,
/// nothing may need a file or a thread, and the managed runtime does not promise that for anything but a plain call.
/// </remarks>
internal sealed unsafe class PreparedSpawn : IDisposable
{
    // posix_spawn_file_actions_t is 80 and posix_spawnattr_t 336 bytes in glibc on 64-bit (spawn.h); sigset_t is 128.
    private const int OpaqueSize = 512;
    private const int SignalSetSize = 128;

    /// <summary>Children see descriptors from here on up only during the spawn itself.</summary>
    private const int StagingMinimum = 64;

    private readonly string _name;
    private readonly List<SafeFileDescriptor> _staged = [];
    private readonly List<nint> _memory = [];
    private readonly byte* _path;
    private readonly byte** _arguments;
    private readonly byte** _environment;
    private readonly byte* _actions;
    private readonly byte* _attributes;

    private PreparedSpawn(SpawnOptions options)
    {
        _name = options.Path;
        _actions = (byte*)Allocate(OpaqueSize);
        _attributes = (byte*)Allocate(OpaqueSize);
        _ = LibC.posix_spawn_file_actions_init(_actions);
        _ = LibC.posix_spawnattr_init(_attributes);
        _path = CopyText(options.Path);
        _arguments = CopyTexts(options.Arguments);
        _environment = CopyTexts(options.Environment);
    }

    /// <summary>Duplicates the descriptors and builds the native arguments. Dispose it after the launch.</summary>
    public static PreparedSpawn Prepare(SpawnOptions options)
    {
        var spawn = new PreparedSpawn(options);
        try
        {
            spawn.AddDescriptors(options);
            spawn.SetSignals(options);
            return spawn;
        }
        catch
        {
            spawn.Dispose();
            throw;
        }
    }

    /// <summary>Starts the child with the calling thread's namespaces, root and identity. The caller must wait for the process.</summary>
    /// <exception cref="LinuxException">ENOENT: no such file. EACCES: it is not executable. Or a shortage of the kernel's.</exception>
    public int Launch()
    {
        int pid;
        // SAFETY: all buffers belong to this object and are larger than libc's types; the vectors end with NULL.
        int error = LibC.posix_spawn_raw(&pid, _path, _actions, _attributes, _arguments, _environment);
        ThrowIfError(error);
        return pid;
    }

    public void Dispose()
    {
        if (_memory.Count == 0)
        {
            return;
        }

        _ = LibC.posix_spawn_file_actions_destroy(_actions);
        _ = LibC.posix_spawnattr_destroy(_attributes);
        foreach (nint block in _memory)
        {
            // SAFETY: each block came from Allocate and is freed once, as the list is emptied below.
            NativeMemory.Free((void*)block);
        }

        _memory.Clear();
        _staged.ForEach(static descriptor => descriptor.Dispose());
    }

    private void AddDescriptors(SpawnOptions options)
    {
        Dictionary<int, SafeFileDescriptor> descriptors = new(options.Descriptors);
        for (int standard = 0; standard <= 2; standard++)
        {
            if (!descriptors.ContainsKey(standard))
            {
                SafeFileDescriptor nothing = LinuxException.ThrowIfInvalid(
                    LibC.open("/dev/null", LibC.O_RDWR | LibC.O_CLOEXEC, 0), "open", "open '/dev/null'");
                _staged.Add(nothing);
                descriptors[standard] = nothing;
            }
        }

        // Sources move out of the way first: dup2(5, 3) then dup2(3, 4) would otherwise give both the same file.
        int minimum = Math.Max(StagingMinimum, descriptors.Keys.Max() + 1);
        foreach ((int number, SafeFileDescriptor source) in descriptors)
        {
            SafeFileDescriptor copy = source.Duplicate(minimum);
            _staged.Add(copy);
            ThrowIfError(LibC.posix_spawn_file_actions_adddup2(_actions, copy.Number, number));
        }

        if (options.WorkingDirectory is { } directory)
        {
            ThrowIfError(LibC.posix_spawn_file_actions_addchdir_np(_actions, directory));
        }
    }

    // The .NET runtime ignores SIGPIPE, and exec keeps that: give the child every default back, and an empty mask.
    private void SetSignals(SpawnOptions options)
    {
        byte* signals = stackalloc byte[SignalSetSize];
        // SAFETY: both sets are SignalSetSize bytes on this frame, and libc copies them.
        new Span<byte>(signals, SignalSetSize).Clear();
        _ = LibC.posix_spawnattr_setsigmask(_attributes, signals);
        new Span<byte>(signals, SignalSetSize).Fill(0xff);
        _ = LibC.posix_spawnattr_setsigdefault(_attributes, signals);
        int flags = LibC.POSIX_SPAWN_SETSIGDEF | LibC.POSIX_SPAWN_SETSIGMASK
            | (options.NewSession ? LibC.POSIX_SPAWN_SETSID : 0)
            | (options.NewGroup ? LibC.POSIX_SPAWN_SETPGROUP : 0); // the group's number is 0: the child's own
        _ = LibC.posix_spawnattr_setflags(_attributes, (short)flags);
    }

    private void* Allocate(int size)
    {
        void* block = NativeMemory.AllocZeroed((nuint)size);
        _memory.Add((nint)block);
        return block;
    }

    private byte* CopyText(string text)
    {
        int length = Encoding.UTF8.GetByteCount(text);
        byte* copy = (byte*)Allocate(length + 1);
        // SAFETY: the block has room for the text and the final NUL, which AllocZeroed wrote.
        Encoding.UTF8.GetBytes(text, new Span<byte>(copy, length));
        return copy;
    }

    private byte** CopyTexts(IReadOnlyList<string> texts)
    {
        byte** vector = (byte**)Allocate((texts.Count + 1) * sizeof(byte*));
        for (int i = 0; i < texts.Count; i++)
        {
            vector[i] = CopyText(texts[i]);
        }

        return vector;
    }

    // posix_spawn returns the error, it does not set errno.
    private void ThrowIfError(int error)
    {
        if (error != 0)
        {
            throw new LinuxException("posix_spawn", $"start '{_name}'", (Errno)error);
        }
    }
}
