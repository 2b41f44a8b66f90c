using System.Globalization;
using Kata.Oci;

namespace Kata.Sandbox;

/// <summary>
/// Runs a container's hooks on the host: in the order of the specification, one at a time, in the namespaces of the runtime's
/// caller, with the container's state on standard input. <see href="https://github.com/opencontainers/runtime-spec">config.md,
/// POSIX-platform Hooks</see>.
/// </summary>
/// <param name="caller">Who would run them without us.</param>
/// <param name="time">For the hooks' limits.</param>
internal sealed class HookRunner(HookCaller caller, TimeProvider time)
{
    /// <summary>
    /// Runs the hooks of one point until the first that fails, in the bundle and with the caller's environment unless told otherwise.
    /// </summary>
    /// <exception cref="HookException">One failed; those after it were not run.</exception>
    public async Task RunAsync(
        HookPoint point, HookSet? hooks, RuntimeState state, CancellationToken cancellationToken, HookSurroundings? surroundings = null)
    {
        IReadOnlyList<HookSpec> list = Of(hooks, point);
        byte[] json = list.Count > 0 ? OciJson.Write(state) : [];
        for (int i = 0; i < list.Count; i++)
        {
            await RunOneAsync(point, i, list[i], json, surroundings ?? OfCaller(state), cancellationToken);
        }
    }

    /// <summary>
    /// Runs all hooks of one point; a failure is told and the next one runs, as for <c>poststart</c> and <c>poststop</c>.
    /// </summary>
    public async Task RunAllAsync(
        HookPoint point, HookSet? hooks, RuntimeState state, Action<string> onFailure, CancellationToken cancellationToken)
    {
        IReadOnlyList<HookSpec> list = Of(hooks, point);
        byte[] json = list.Count > 0 ? OciJson.Write(state) : [];
        for (int i = 0; i < list.Count; i++)
        {
            try
            {
                await RunOneAsync(point, i, list[i], json, OfCaller(state), cancellationToken);
            }
            catch (HookException error)
            {
                onFailure(error.Message);
            }
        }
    }

    /// <summary>What the hooks of a create may take together; null when one of them has no limit.</summary>
    public static TimeSpan? LimitOf(HookSet? hooks) => Sum(hooks?.Prestart, hooks?.CreateRuntime, hooks?.CreateContainer);

    /// <summary>The same of a start: those in the guest and those after it.</summary>
    public static TimeSpan? LimitOfStart(HookSet? hooks) => Sum(hooks?.StartContainer, hooks?.Poststart);

    /// <summary>What one list of hooks may take together; null when one of them has no limit.</summary>
    public static TimeSpan? Sum(params ReadOnlySpan<IReadOnlyList<HookSpec>?> lists)
    {
        TimeSpan? sum = TimeSpan.Zero;
        foreach (IReadOnlyList<HookSpec>? list in lists)
        {
            foreach (HookSpec hook in list ?? [])
            {
                sum += hook.Timeout is { } seconds ? TimeSpan.FromSeconds(seconds) : null;
            }
        }

        return sum;
    }

    /// <summary>The hooks of one point; empty when there are none.</summary>
    public static IReadOnlyList<HookSpec> Of(HookSet? hooks, HookPoint point) => point switch
    {
        HookPoint.Prestart => hooks?.Prestart,
        HookPoint.CreateRuntime => hooks?.CreateRuntime,
        HookPoint.CreateContainer => hooks?.CreateContainer,
        HookPoint.Poststart => hooks?.Poststart,
        HookPoint.Poststop => hooks?.Poststop,
        _ => throw new ArgumentOutOfRangeException(nameof(point)),
    } ?? [];

    private HookSurroundings OfCaller(RuntimeState state) => new(state.Bundle, caller.Variables);

    private Task RunOneAsync(
        HookPoint point, int index, HookSpec hook, ReadOnlyMemory<byte> state, HookSurroundings surroundings,
        CancellationToken cancellationToken) =>
        HookProcess.RunAsync(Name(point, index), hook, state, surroundings, caller, time, cancellationToken);

    private static string Name(HookPoint point, int index)
    {
        string name = point.ToString();
        return string.Create(CultureInfo.InvariantCulture, $"{char.ToLowerInvariant(name[0])}{name[1..]} hook {index}");
    }
}
