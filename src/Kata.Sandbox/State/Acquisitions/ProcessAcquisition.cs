namespace Kata.Sandbox;

/// <summary>A process. Released by SIGKILL, if the number still means the same one.</summary>
/// <param name="Identity">As <see cref="ProcessIdentity"/> writes itself.</param>
internal sealed record ProcessAcquisition(string Identity) : Acquisition(Name, Identity)
{
    public const string Name = "Process";

    public ProcessAcquisition(ProcessIdentity identity)
        : this(identity.ToString())
    {
    }

    public override Task ReleaseAsync(CancellationToken cancellationToken) =>
        ProcessIdentity.Parse(Identity) is { } process ? process.KillAsync(KillTimeout, cancellationToken) : Task.CompletedTask;
}
