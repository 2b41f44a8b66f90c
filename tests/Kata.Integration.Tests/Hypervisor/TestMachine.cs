using Kata.Hypervisor;
using Kata.Hypervisor.Qemu;
using Kata.Linux;

namespace Kata.Integration.Tests.Hypervisor;

/// <summary>
/// A real QEMU, with what the host has for it (KVM and vsock, or emulation and virtio-serial), in a directory of its own that goes with it.
/// </summary>
internal sealed class TestMachine : IAsyncDisposable
{
    public static readonly TimeSpan BootLimit = TimeSpan.FromSeconds(120);

    private static readonly AcceleratorChoice s_host = Drivers.Probe(configuration);

    private readonly DirectoryInfo _directory;

    private TestMachine(DirectoryInfo directory, IVirtualMachine machine)
    {
        _directory = directory;
        Machine = machine;
    }

    public IVirtualMachine Machine { get; }

    public string ConsolePath => Path.Combine(_directory.FullName, "console.log");

    public static VirtualMachineConfig Config(string parameters = "") => new()
    {
        Name = "test",
        HypervisorPath = "/usr/bin/qemu-system-x86_64",
        KernelPath = GuestFiles.Kernel,
        KernelParameters = $"console=ttyS0 panic=1 reboot=k quiet {parameters}".Trim(),
        MemoryMib = 256,
        Accelerator = s_host.Accelerator,
        AgentTransport = s_host.AgentTransport,
    };

    public static async Task<TestMachine> CreateAsync(
        VirtualMachineConfig config, IReadOnlyDictionary<string, SafeFileDescriptor>? sockets = null)
    {
        GuestFiles.RequireRoot();
        DirectoryInfo directory = Directory.CreateTempSubdirectory("kata-test-");
        string runtime = Path.Combine(directory.FullName, "vm");
        Directory.CreateDirectory(runtime);
        IVirtualMachine machine = await new QemuFactory().CreateAsync(
            config,
            new VirtualMachineResources
            {
                RuntimeDirectory = runtime,
                ConsoleLogPath = Path.Combine(directory.FullName, "console.log"),
                SharedFilesystemSockets = sockets ?? new Dictionary<string, SafeFileDescriptor>(),
            },
            TestContext.Current.CancellationToken);
        return new TestMachine(directory, machine);
    }

    public async ValueTask DisposeAsync()
    {
        await Machine.DisposeAsync();
        _directory.Delete(recursive: true);
    }
}
