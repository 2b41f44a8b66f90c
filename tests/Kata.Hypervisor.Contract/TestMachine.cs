namespace Kata.Hypervisor.Contract;

/// <summary>A real machine, with what the host has for it, in a directory of its own that goes with it.</summary>
internal sealed class TestMachine : IAsyncDisposable
{
    /// <summary>A busy host that emulates boots in a fraction of this.</summary>
    public static readonly TimeSpan BootLimit = TimeSpan.FromSeconds(120);

    private readonly DirectoryInfo _directory;

    private TestMachine(DirectoryInfo directory, IVirtualMachine machine)
    {
        _directory = directory;
        Machine = machine;
    }

    public IVirtualMachine Machine { get; }

    /// <summary>The machine's directory: what is in it is the driver's.</summary>
    public string RuntimeDirectory => Path.Combine(_directory.FullName, "vm");

    public string ConsolePath => Path.Combine(_directory.FullName, "console.log");

    public static async Task<TestMachine> CreateAsync(IHypervisorDriver driver, MachineConfig config, DeviceDescriptors? descriptors = null)
    {
        DirectoryInfo directory = Directory.CreateTempSubdirectory("kata-test-");
        string runtime = Path.Combine(directory.FullName, "vm");
        Directory.CreateDirectory(runtime);
        try
        {
            IVirtualMachine machine = await driver.CreateAsync(
                config,
                new MachineResources
                {
                    RuntimeDirectory = runtime,
                    ConsoleLogPath = Path.Combine(directory.FullName, "console.log"),
                    Descriptors = descriptors ?? new DeviceDescriptors(),
                },
                TestContext.Current.CancellationToken);
            return new TestMachine(directory, machine);
        }
        catch
        {
            directory.Delete(recursive: true);
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Machine.DisposeAsync();
        string[] left = Directory.GetFileSystemEntries(RuntimeDirectory);
        _directory.Delete(recursive: true);
        Assert.Empty(left); // the driver removes what it puts there
    }
}
