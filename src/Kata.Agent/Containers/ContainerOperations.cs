using Kata.Agent.Cgroups;
using Kata.Agent.Devices;
using Kata.Agent.Processes;
using Kata.Agent.Specifications;
using Kata.Agent.Storage;
using Microsoft.Extensions.Logging;

namespace Kata.Agent.Containers;

/// <summary>All that the services do with containers, put together.</summary>
internal sealed record ContainerOperations(
    ContainerTable Table, ContainerFactory Factory, ContainerLauncher Launcher, ContainerLimits Limits, ContainerMounts Mounts,
    ContainerRemover Remover)
{
    /// <summary>For this guest.</summary>
    public static ContainerOperations Create(
        Sandbox sandbox, StorageDrivers drivers, BlockDeviceFinder finder, Reaper reaper, OomWatcher oom, ILogger logger)
    {
        var table = new ContainerTable();
        var crun = new Crun(reaper);
        var launcher = new ProcessLauncher(crun, reaper);
        var preparation = new ProcessPreparation(logger);
        var mounts = new ContainerMounts();
        var cleaner = new ContainerCleaner(mounts, logger);
        var amendments = new SpecAmendments(table, sandbox, preparation, new SpecDevices(finder, BlockDevices.OfThisGuest));
        return new ContainerOperations(
            table,
            new ContainerFactory(table, drivers, mounts, amendments, launcher, cleaner, oom, logger),
            new ContainerLauncher(table, launcher, preparation, crun, reaper),
            new ContainerLimits(crun, logger),
            mounts,
            new ContainerRemover(table, cleaner, crun));
    }
}
