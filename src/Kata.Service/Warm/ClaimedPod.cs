using Kata.Linux;
using Kata.Sandbox;

namespace Kata.Service;

/// <summary>A pod's service that came from the pool, as the command sees it that claimed it. Owns both.</summary>
/// <param name="Process">The service; null when it has ended already.</param>
/// <param name="Lock">The lock of the pod's directory, which the service shares until it has recorded what it is.</param>
internal sealed record ClaimedPod(PidFd? Process, PodLock Lock);
