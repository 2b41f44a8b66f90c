using Kata.Storage;

namespace Kata.Integration.Tests.Storage;

/// <summary>One virtiofsd with one guest kernel, and what its container answered; or why there is none.</summary>
internal sealed class FileServerPod
{
    public string? Problem { get; init; }

    public string Id { get; init; } = "";

    /// <summary>The host's side of <c>/vol</c>.</summary>
    public string Volume { get; init; } = "";

    public VirtioFsDaemonProgram? Program { get; init; }

    public IReadOnlyDictionary<string, string> OnVolume { get; init; } = new Dictionary<string, string>();

    public IReadOnlyDictionary<string, string> OnRoot { get; init; } = new Dictionary<string, string>();
}
