namespace Kata.Sandbox;

/// <summary>An additional process of a container, from being described to being forgotten.</summary>
internal sealed record ExecProcess(GuestProcess Process, ExecSpec Spec, ProcessStdio Stdio, int StandInPid)
{
    public bool Started { get; set; }

    /// <summary>It could not be started; its streams are closed.</summary>
    public bool HasFailed { get; set; }
}
