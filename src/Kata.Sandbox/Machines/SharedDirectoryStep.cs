using Kata.Storage;

namespace Kata.Sandbox;

/// <summary>
/// The directory through which the guest sees files of the host: a small file system of the pod's
/// own, in the service's mount namespace alone.
/// </summary>
internal sealed class SharedDirectoryStep(string path) : Step
{
    private SharedDirectory? _directory;

    public override string Name => "the shared directory";

    public SharedDirectory Directory => _directory ?? throw new InvalidOperationException("There is no shared directory yet");

    public override Task DoAsync(CancellationToken cancellationToken)
    {
        _directory = SharedDirectory.Create(path);
        return Task.CompletedTask;
    }

    public override Task UndoAsync(CancellationToken cancellationToken)
    {
        _directory!.Dispose();
        return Task.CompletedTask;
    }
}
