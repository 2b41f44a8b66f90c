using Grpc.Core;
using Kata.Agent.Protocol.Extension;
using Kata.Hypervisor;

namespace Kata.Sandbox;

/// <summary>A disk in the guest: found, and mounted where the caller says.</summary>
/// <param name="plan">The storage.</param>
/// <param name="plug">Its device in the machine.</param>
/// <param name="device">That device's name, and the storage's for the agent.</param>
/// <param name="guest">The guest.</param>
/// <param name="ending">Whether the machine is about to end, so that the guest has not to be asked.</param>
internal sealed class GuestStorageStep(StoragePlan plan, PlugStep plug, DeviceId device, GuestConnectStep guest, Func<bool> ending) : Step
{
    /// <summary>
    /// The guest looks for the device for 30 s of its own clock, which may go slower than ours; and a file system may have a journal to
    /// replay.
    /// </summary>
    private static readonly TimeSpan s_addTimeout = TimeSpan.FromMinutes(2);

    public override string Name => $"{plan.Text} in the guest";

    public override IReadOnlyList<Step> Needs => [plug, guest];

    /// <summary>The guest's name of the device, escaped; empty until it has found it.</summary>
    public string DevicePath { get; private set; } = "";

    public override async Task DoAsync(CancellationToken cancellationToken)
    {
        string action = $"give {plan.Text} to the guest";
        AgentConnection agent = guest.Guest!.Agent;
        var storage = new Agent.Protocol.Storage
        {
            Driver = "blk",
            DriverOptions = { $"serial={device}" },
            Fstype = plan.FileSystem ?? "",
            MountPoint = plan.MountPoint ?? "",
            Options = { plan.Options },
        };
        if (plan is { ReadOnly: true, MountPoint: not null } && !plan.Options.Contains("ro"))
        {
            storage.Options.Add("ro");
        }

        AddStorageResponse response = await AgentConnection.CallAsync(
            action,
            ExtensionOf(agent, action).AddStorageAsync(
                new AddStorageRequest { Id = device.Value, Storage = storage }, agent.Within(s_addTimeout, cancellationToken)));
        DevicePath = GuestText.Escape(response.Device);
    }

    public override async Task UndoAsync(CancellationToken cancellationToken)
    {
        if (ending())
        {
            return;
        }

        string action = $"take {plan.Text} from the guest";
        AgentConnection agent = guest.Guest!.Agent;
        try
        {
            await AgentConnection.CallAsync(
                action,
                ExtensionOf(agent, action).RemoveStorageAsync(
                    new RemoveStorageRequest { Id = device.Value }, agent.Timed(cancellationToken)));
        }
        catch (AgentException error) when (error.Code == StatusCode.NotFound)
        {
            // An earlier removal was given up here, and went on there.
        }
    }

    private static AgentExtension.AgentExtensionClient ExtensionOf(AgentConnection agent, string action) =>
        agent is { SupportsStorages: true, Extension: { } extension }
            ? extension
            : throw new AgentException(
                action, StatusCode.FailedPrecondition, "the guest's agent cannot. Use the guest image of this release");
}
