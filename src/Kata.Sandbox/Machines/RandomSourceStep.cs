using Kata.Hypervisor;
using Kata.Linux;

namespace Kata.Sandbox;

/// <summary>Where the guest's random numbers come from.</summary>
internal sealed class RandomSourceStep(RandomDevice device, string path) : DeviceStep(device)
{
    private SafeFileDescriptor? _source;

    public override string Name => $"the source of random numbers '{path}'";

    public override Task DoAsync(CancellationToken cancellationToken)
    {
        _source = device.FromHostDevice ? RandomSource.Open(path) : null;
        return Task.CompletedTask;
    }

    public override void HandOver(DeviceDescriptors descriptors)
    {
        if (Interlocked.Exchange(ref _source, null) is { } source)
        {
            descriptors.Add(Device.Id, source);
        }
    }

    public override Task UndoAsync(CancellationToken cancellationToken)
    {
        _source?.Dispose();
        return Task.CompletedTask;
    }
}
