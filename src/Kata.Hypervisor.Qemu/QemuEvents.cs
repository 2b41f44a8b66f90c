using System.Collections.Concurrent;
using System.Text.Json;
using Kata.Hypervisor.Qemu.Qmp;

namespace Kata.Hypervisor.Qemu;

/// <summary>
/// What QEMU's events said so far. Every field is set at most once and events are only looked at, so a guest that causes a
/// million of them costs time on one loop and nothing else. Thread-safe.
/// </summary>
/// <param name="agentPort">The id of the agent's virtio-serial port.</param>
internal sealed class QemuEvents(string agentPort)
{
    private readonly TaskCompletionSource _agentPortOpened = new(TaskCreationOptions.RunContinuationsAsynchronously);
    // Only of those that somebody waits for.
    private readonly ConcurrentDictionary<string, TaskCompletionSource<bool>> _unplugging = new(StringComparer.Ordinal);
    private volatile bool _guestPanicked;
    private volatile string? _shutdownReason;

    /// <summary>Completes when the guest has opened the agent's virtio-serial port.</summary>
    public Task AgentPortOpened => _agentPortOpened.Task;

    public bool GuestPanicked => _guestPanicked;

    /// <summary>The <c>ShutdownCause</c> of the first SHUTDOWN event (qapi/run-state.json), or null.</summary>
    public string? ShutdownReason => _shutdownReason;

    /// <summary>
    /// Completes with true when the device is gone, with false when the guest refuses to let go of it; to be asked for before the guest is.
    /// Several who ask for one device are told the same.
    /// </summary>
    public Task<bool> DeviceGoneAsync(string id) =>
        _unplugging.GetOrAdd(id, static _ => new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously)).Task;

    public void Observe(QmpMessage message)
    {
        switch (message.Name)
        {
            case "VSERPORT_CHANGE" when IsTrue(message.Data, "open") && Text(message.Data, "id") == agentPort:
                _agentPortOpened.TrySetResult();
                break;
            case "DEVICE_DELETED" or "DEVICE_UNPLUG_GUEST_ERROR" when Text(message.Data, "device") is { } device:
                if (_unplugging.TryRemove(device, out TaskCompletionSource<bool>? waiting))
                {
                    waiting.TrySetResult(message.Name == "DEVICE_DELETED");
                }

                break;
            case "GUEST_PANICKED":
                _guestPanicked = true;
                break;
            case "SHUTDOWN":
                _shutdownReason ??= Text(message.Data, "reason") ?? "unknown";
                break;
        }
    }

    private static bool IsTrue(JsonElement data, string name) =>
        data.ValueKind == JsonValueKind.Object && data.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.True;

    // Null also for half of a surrogate pair, or for what is not UTF-8: JSON that is well-formed and no text.
    private static string? Text(JsonElement data, string name)
    {
        try
        {
            return data.ValueKind == JsonValueKind.Object
                && data.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String
                ? value.GetString()
                : null;
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }
}
