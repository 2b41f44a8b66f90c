using System.Globalization;
using Kata.Linux.Interop;

namespace Kata.Linux;

/// <summary>Which process the host's kernel kills first when it has no memory left: <c>/proc/PID/oom_score_adj</c>, proc(5).</summary>
internal static class OomScore
{
    public const int Lowest = -1000;
    public const int Highest = 1000;

    /// <exception cref="IOException">There is no such process.</exception>
    public static int Read(int processId) => int.Parse(File.ReadAllText(PathOf(processId)), CultureInfo.InvariantCulture);

    /// <summary>A higher one is killed earlier. To lower it takes CAP_SYS_RESOURCE.</summary>
    /// <exception cref="LinuxException">There is no such process, or the kernel refuses.</exception>
    public static void Write(int processId, int score)
    {
        string action = string.Create(CultureInfo.InvariantCulture, $"set the out-of-memory score of the process {processId} to {score}");
        using SafeFileDescriptor file = LinuxException.ThrowIfInvalid(
            LibC.open(PathOf(processId), LibC.O_WRONLY | LibC.O_CLOEXEC, 0), "open", action);
        DescriptorWriter.Write(file, System.Text.Encoding.ASCII.GetBytes(score.ToString(CultureInfo.InvariantCulture)), action);
    }

    /// <summary>Has this process killed before its parent, if the kernel lets us: one point more, which later children inherit.</summary>
    public static void YieldToParent()
    {
        try
        {
            Write(Environment.ProcessId, Math.Min(Read(LibC.getppid()) + 1, Highest));
        }
        catch (Exception error) when (error is IOException or LinuxException or UnauthorizedAccessException)
        {
            // The parent ended, or ours is higher than that and may not be lowered, which is as good.
        }
    }

    private static string PathOf(int processId) => string.Create(CultureInfo.InvariantCulture, $"/proc/{processId}/oom_score_adj");
}
