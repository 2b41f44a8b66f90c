using Kata.Agent.Devices;
using Kata.Agent.Logging;
using Kata.Linux;
using Microsoft.Extensions.Logging;

namespace Kata.Agent.Boot;

/// <summary>From the kernel's first user process to a machine that can run containers. Runs once, in order, on the main thread.</summary>
internal sealed class GuestBoot
{
    private const int CommandLineLimit = 64 * 1024;

    private GuestBoot(KernelCommandLine commandLine, ConsoleLogger logger, BootTimings timings, DeviceRegistry registry)
    {
        CommandLine = commandLine;
        Logger = logger;
        Timings = timings;
        Registry = registry;
    }

    public KernelCommandLine CommandLine { get; }

    public ConsoleLogger Logger { get; }

    public BootTimings Timings { get; }

    /// <summary>Listening since before the modules were loaded, so no device can be missed. Owned by the caller.</summary>
    public DeviceRegistry Registry { get; }

    /// <exception cref="LinuxException">A step without which there is no guest.</exception>
    public static GuestBoot Run(BootTimings timings)
    {
        RootFileSystem.MakePivotable();
        timings.Mark("root");
        EarlyMounts.MountAll();
        timings.Mark("mounts");

        string words = File.ReadAllText("/proc/cmdline");
        var commandLine = KernelCommandLine.Parse(words.Length > CommandLineLimit ? words[..CommandLineLimit] : words);
        LogLevel level = commandLine["log"] is "debug" or "trace" ? LogLevel.Debug : LogLevel.Information;
        ConsoleLogger logger = ConsoleLogger.Open("/dev/console", level, TimeProvider.System);
        timings.Mark("log");

        // Before the modules, or a port that appears at once would go unseen.
        DeviceRegistry registry = DeviceRegistry.Listen(logger);
        var modules = new KernelModules(logger);
        if (MmioTransport.Find(words, "/sys") is { } parameters)
        {
            modules.LoadAtBoot(MmioTransport.Module, parameters);
        }

        modules.LoadListed();
        ModuleRequests.Accept();
        timings.Mark("modules");
        EarlyMounts.PrepareCgroups();
        timings.Mark("cgroups");
        LoopbackInterface.SetUp();
        HostName.Set("localhost");
        timings.Mark("network");
        return new GuestBoot(commandLine, logger, timings, registry);
    }
}
