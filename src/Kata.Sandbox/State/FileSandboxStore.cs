using Kata.Oci;

namespace Kata.Sandbox;

/// <summary>Keeps each pod's state in a file of the pod's directory, <c>state.json</c>, and loses it with that.</summary>
internal sealed class FileSandboxStore(SandboxDirectories directories) : ISandboxStore
{
    public void Save(SandboxState state) => SandboxStateStore.Write(directories.StateFile(SandboxId.Parse(state.Id)), state);

    public SandboxState? Load(SandboxId sandbox) => SandboxStateStore.Read(directories.StateFile(sandbox));
}
