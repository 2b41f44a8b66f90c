using Kata.Linux;

namespace Kata.Sandbox;

/// <summary>
/// Which of the host's processes go first when the host has no memory left. What a pod's containers use is the machine's memory, so the
/// machine stands where its containers would.
/// </summary>
internal sealed partial class PodSandbox
{
    private int? _oomScore; // guarded by _gate: what was asked for last

    /// <summary>
    /// The lowest of the containers' scores: with the machine the most protected of them would die too. A container without one counts as
    /// what it would inherit, but never as protected: a daemon's own protection is not for what it runs. Null leaves the machine as it is.
    /// </summary>
    /// <param name="containers">Those that do work, each with its <c>process.oomScoreAdj</c>.</param>
    /// <param name="inherited">The service's own.</param>
    internal static int? OomScoreOf(IReadOnlyCollection<int?> containers, int inherited) =>
        containers.Count == 0 ? null : containers.Min(score => score ?? Math.Max(inherited, 0));

    private void ScoreForShortage()
    {
        lock (_gate)
        {
            int?[] asked = [.. _containers.Values.Where(static item => !item.Plan.IsPodSandbox).Select(static item => item.Plan.Bundle.Spec.Process?.OomScoreAdj)];
            if (OomScoreOf(asked, OomScore.Read(Environment.ProcessId)) is not { } score || score == _oomScore)
            {
                return;
            }

            _oomScore = score;
            try
            {
                foreach (int process in _machine!.ProcessIds.Concat(_fileServer!.ProcessIds))
                {
                    if (OomScore.Read(process) != score)
                    {
                        OomScore.Write(process, score);
                    }
                }
            }
            catch (Exception error) when (error is LinuxException or IOException)
            {
                Log.PlanWarning($"{error.Message}. The host ends other processes before or after this pod than was asked for");
            }
        }
    }
}
