using System.Text;

namespace Kata.Hypervisor.Qemu.Qmp;

/// <summary>A command without arguments: the only kind that is needed so far. No text from outside becomes part of one.</summary>
internal sealed class QmpCommand
{
    public static readonly QmpCommand QmpCapabilities = new("qmp_capabilities");
    public static readonly QmpCommand QueryStatus = new("query-status");
    public static readonly QmpCommand QueryCpusFast = new("query-cpus-fast");
    public static readonly QmpCommand Continue = new("cont");
    public static readonly QmpCommand Stop = new("stop");
    public static readonly QmpCommand Quit = new("quit");

    private QmpCommand(string name) => Name = name;

    public string Name { get; }

    public byte[] ToLine(long id) => Encoding.ASCII.GetBytes($"{{\"execute\":\"{Name}\",\"id\":{id}}}\n");
}
