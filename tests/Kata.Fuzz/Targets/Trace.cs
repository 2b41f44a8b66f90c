using System.Reflection;
using System.Runtime.InteropServices;

namespace Kata.Fuzz.Targets;

/// <summary>
/// Where instrumented code leaves its trace. Without afl-fuzz nobody looks at it. By reflection: SharpFuzz takes an assembly that refers to
/// the trace for one that is instrumented already, and <see cref="Canary"/> is to be.
/// </summary>
internal static unsafe class Trace
{
    private const int MapBytes = 1 << 16; // SharpFuzz's, whatever afl-fuzz has

    private static readonly Type s_trace = Assembly.Load("SharpFuzz.Common").GetType("SharpFuzz.Common.Trace", throwOnError: true)!;
    private static readonly FieldInfo s_memory = s_trace.GetField("SharedMem")!;
    private static readonly FieldInfo s_previous = s_trace.GetField("PrevLocation")!;

    /// <summary>Gives instrumented code a place to write before there is one of afl-fuzz: static constructors run early.</summary>
    // SAFETY: the memory is never freed.
    public static void Discard() => s_memory.SetValue(null, Pointer.Box(NativeMemory.AllocZeroed(MapBytes), typeof(byte*)));

    /// <summary>An edge leads from one place to the next, and none from the end of the last input to the beginning of this one.</summary>
    public static void Begin() => s_previous.SetValue(null, 0);
}
