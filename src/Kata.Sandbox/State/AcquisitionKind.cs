using System.Text.Json.Serialization;

namespace Kata.Sandbox;

/// <summary>What kind of thing a pod holds on the host; decides how it is released.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<AcquisitionKind>))]
internal enum AcquisitionKind
{
    /// <summary>A cgroup directory with every process of the pod inside. Released by killing them all and removing it.</summary>
    Cgroup,

    /// <summary>The process that serves the pod, <c>PID STARTTIME</c>; recorded by itself before it makes anything. Released as a process is.</summary>
    Service,

    /// <summary>A process, <c>PID STARTTIME</c>. Released by SIGKILL if the pair still matches.</summary>
    Process,

    /// <summary>A file or socket. Released by unlinking it.</summary>
    File,

    /// <summary>A directory with all that is in it. Released without crossing a mount point or following a link.</summary>
    Directory,
}
