namespace Kata.Sandbox;

/// <summary>
/// The process that serves the pod; recorded by itself before it makes anything. Released as a process is, with all of its session: a
/// service leads one, and what it starts is born in that, so its own record stands for a process that it has started and not recorded yet.
/// </summary>
/// <param name="Identity">As <see cref="ProcessIdentity"/> writes itself.</param>
internal sealed record ServiceAcquisition(string Identity) : Acquisition(Name, Identity)
{
    public const string Name = "Service";

    public ServiceAcquisition(ProcessIdentity identity)
        : this(identity.ToString())
    {
    }

    public override async Task ReleaseAsync(CancellationToken cancellationToken)
    {
        if (ProcessIdentity.Parse(Identity) is not { } service)
        {
            return;
        }

        await service.KillAsync(KillTimeout, cancellationToken);
        // A number is not given away while a session bears it: if its process is another's, nothing is left.
        while (ProcessIdentity.Of(service.Pid) is null && ProcessIdentity.OfSession(service.Pid) is { Count: > 0 } members)
        {
            foreach (ProcessIdentity member in members)
            {
                await member.KillAsync(KillTimeout, cancellationToken);
            }
        }
    }
}
