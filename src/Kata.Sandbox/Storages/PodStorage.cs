namespace Kata.Sandbox;

/// <summary>One storage of a pod and the steps that it is made of.</summary>
internal sealed class PodStorage(StoragePlan plan, DiskStep disk, PlugStep plug, GuestStorageStep guest)
{
    private volatile string? _underWay;

    public StoragePlan Plan { get; } = plan;

    /// <summary>What the host has for it.</summary>
    public DiskStep Disk { get; } = disk;

    /// <summary>What the guest calls the device, escaped; empty until it has found it.</summary>
    public string DevicePath => guest.DevicePath;

    /// <summary>All of them, what comes first first.</summary>
    public IReadOnlyList<Step> Steps { get; } = [disk, plug, guest];

    /// <summary>What is being done with it, for who wants something else at the same time; null when nothing is.</summary>
    public string? UnderWay
    {
        get => _underWay;
        set => _underWay = value;
    }

}
