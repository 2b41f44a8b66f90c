using Kata.Agent.Protocol.Extension;
using Kata.Agent.Protocol.Oci;

namespace Kata.Agent.Containers;

/// <summary>A process that crun is to make.</summary>
/// <param name="Process">As crun is told it.</param>
/// <param name="ExecId">Its name; for the first process the container's.</param>
/// <param name="Action">What this is for, for the error text: "create the container 'x'".</param>
/// <param name="Files">Where its files are until it exists: what their paths begin with, for this launch alone.</param>
/// <param name="Extension">What the common protocol has no place for, or null.</param>
internal sealed record ProcessLaunch(Process Process, string ExecId, string Action, string Files, ProcessExtension? Extension)
{
    /// <summary>Its <c>oom_score_adj</c> where crun does not set it: crun 1.8 does so for a first process only.</summary>
    public int OomScore { get; init; }
}
