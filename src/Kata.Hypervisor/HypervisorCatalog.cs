namespace Kata.Hypervisor;

/// <summary>The drivers of this program, by the name of their configuration table.</summary>
internal sealed class HypervisorCatalog(params IReadOnlyList<IHypervisorDriver> drivers)
{
    /// <summary>The driver of a configuration table, <c>[hypervisor.NAME]</c>.</summary>
    /// <exception cref="HypervisorException">There is none; the text names those that there are.</exception>
    public IHypervisorDriver Find(string name) =>
        drivers.FirstOrDefault(driver => driver.Name == name)
        ?? throw new HypervisorException(
            $"Cannot use the hypervisor '{name}': this version has no driver for it. "
                + $"It has {string.Join(", ", drivers.Select(static driver => driver.Name))}");
}
