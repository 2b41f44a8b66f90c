namespace Kata.Hypervisor;

/// <summary>A machine whose processors can be stopped and continued. Ask with <c>vm is IPause</c>.</summary>
internal interface IPause
{
    /// <summary>Returns when no guest processor runs any more.</summary>
    /// <exception cref="HypervisorException">The VMM refused.</exception>
    Task PauseAsync(CancellationToken cancellationToken);

    /// <inheritdoc cref="PauseAsync"/>
    Task ResumeAsync(CancellationToken cancellationToken);
}
