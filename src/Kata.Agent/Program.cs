using System.Text;
using Kata.Agent.Boot;
using Kata.Agent.Cgroups;
using Kata.Agent.Channels;
using Kata.Agent.Containers;
using Kata.Agent.Devices;
using Kata.Agent.Network;
using Kata.Agent.Processes;
using Kata.Agent.Protocol;
using Kata.Agent.Protocol.Extension;
using Kata.Agent.Services;
using Kata.Agent.Storage;
using Kata.TtRpc;
using Microsoft.Extensions.Logging;

namespace Kata.Agent;

/// <summary>Boots the guest, serves the host on one connection, and switches the machine off when that ends.</summary>
internal static class Program
{
    private static async Task<int> Main()
    {
        if (Environment.GetCommandLineArgs()[0] == PauseProcess.Argument)
        {
            PauseProcess.Run();
            return 0;
        }

        if (Environment.GetCommandLineArgs()[0] == TimeNamespace.Argument)
        {
            return TimeNamespace.Run(Crun.Executable, Environment.GetCommandLineArgs());
        }

        if (ModuleRequests.IsOne(Environment.GetCommandLineArgs()))
        {
            return ModuleRequests.Run(Environment.GetCommandLineArgs());
        }

        if (Environment.ProcessId != 1)
        {
            await Console.Error.WriteLineAsync(
                "kata-agent: cannot run here: it is the first process of a virtual machine. Boot it as /init");
            return 1;
        }

        try
        {
            await RunAsync();
        }
        catch (Exception error) // the border of the process: PID 1 must not die, the kernel would panic
        {
            WriteToConsole($"kata-agent: cannot go on: {ErrorText.Of(error)}: {error}\n");
        }

        PowerControl.PowerOff();
        return 1;
    }

    private static async Task RunAsync()
    {
        var timings = new BootTimings();
        GuestBoot boot = GuestBoot.Run(timings);
        ILogger logger = boot.Logger;
        using var reaper = new Reaper(new KernelChildWaiter(), new ExitBoard(), logger);
        reaper.Start();
        var finder = new BlockDeviceFinder(boot.Registry, BlockDevices.OfThisGuest, DiskDriver.Require, TimeProvider.System);
        var drivers = StorageDrivers.Create(finder);
        var storages = new StorageTable(drivers);
        using var sandbox = new Sandbox(reaper, drivers);
        using var network = new GuestNetwork(boot.Registry, NetworkDriver.Require);
        using var oom = new OomWatcher(logger);
        var containers = ContainerOperations.Create(sandbox, drivers, finder, reaper, oom, logger);
        var server = new TtRpcServer(new TtRpcOptions { HandlerFailed = (method, error) => logger.CallFailed(method, error.ToString()) });
        AgentService.BindService(server.Services, new AgentServiceHandler(containers, sandbox, drivers, storages, network, oom, logger));
        Health.BindService(server.Services, new HealthService());
        AgentExtension.BindService(server.Services, new AgentExtensionHandler(containers, storages, network, logger));
        timings.Mark("services");

        Stream channel = await AgentChannel.OpenAsync(boot.CommandLine, boot.Registry, timings);
        boot.Registry.Start();
        timings.Mark("host");
        logger.Ready(timings.ToString());
        await server.ServeAsync(channel, CancellationToken.None);
        logger.ChannelClosed();
    }

    // Before or without the logger: the one line that tells why there is no guest.
    private static void WriteToConsole(string line)
    {
        try
        {
            using FileStream console = File.OpenWrite("/dev/console");
            console.Write(Encoding.UTF8.GetBytes(line));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            Console.Error.Write(line);
        }
    }
}
