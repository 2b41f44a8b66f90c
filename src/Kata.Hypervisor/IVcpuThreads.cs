namespace Kata.Hypervisor;

/// <summary>A machine whose processors are threads of its process. Ask with <c>vm is IVcpuThreads</c>.</summary>
internal interface IVcpuThreads
{
    /// <summary>
    /// The threads' ids on the host, each once: one thread may run several processors. Call after <see cref="IVirtualMachine.StartAsync"/>.
    /// </summary>
    /// <exception cref="HypervisorException">The VMM did not answer, or names threads that it does not have.</exception>
    Task<IReadOnlyList<int>> ListVcpuThreadsAsync(CancellationToken cancellationToken);
}
