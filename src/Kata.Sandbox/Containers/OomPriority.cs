using Kata.Linux;

namespace Kata.Sandbox;

/// <summary>
/// Which of the host's processes go first when the host has no memory left. What a pod's containers use is the machine's memory, so the
/// machine stands where its containers would. One caller at a time.
/// </summary>
internal sealed class OomPriority
{
    private int? _applied; // what was asked for last

    /// <summary>
    /// The lowest of the containers' scores: with the machine the most protected of them would die too. A container without one counts as
    /// what it would inherit, but never as protected: a daemon's own protection is not for what it runs. Null leaves the machine as it is.
    /// </summary>
    /// <param name="containers">Those that do work, each with its <c>process.oomScoreAdj</c>.</param>
    /// <param name="inherited">The service's own.</param>
    internal static int? ScoreOf(IReadOnlyCollection<int?> containers, int inherited) =>
        containers.Count == 0 ? null : containers.Min(score => score ?? Math.Max(inherited, 0));

    /// <summary>Gives the machine's processes the score of the containers.</summary>
    /// <returns>What could not be done, as a sentence; null when all was.</returns>
    public string? Apply(IReadOnlyCollection<int?> containers, IEnumerable<int> processes)
    {
        if (ScoreOf(containers, OomScore.Read(Environment.ProcessId)) is not { } score || score == _applied)
        {
            return null;
        }

        _applied = score;
        try
        {
            foreach (int process in processes)
            {
                if (OomScore.Read(process) != score)
                {
                    OomScore.Write(process, score);
                }
            }

            return null;
        }
        catch (Exception error) when (error is LinuxException or IOException)
        {
            return $"{error.Message}. The host ends other processes before or after this pod than was asked for";
        }
    }
}
