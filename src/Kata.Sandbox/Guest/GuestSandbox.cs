using System.Globalization;
using System.Text;
using Google.Protobuf;
using Kata.Agent.Protocol;
using Kata.Hypervisor;
using Kata.Linux;
using Kata.Oci;

namespace Kata.Sandbox;

/// <summary>
/// The guest's side of a pod: its agent, reached and agreed with by <see cref="ConnectAsync"/>, and what it is told of the pod. Reaching it
/// needs no pod; telling it does.
/// </summary>
internal sealed class GuestSandbox : IAsyncDisposable
{
    /// <summary>What stock agents take at once.</summary>
    private const int CopyPartBytes = 1 << 20;

    private readonly SandboxPlan _plan;

    /// <summary>Takes ownership of an agent that was reached already.</summary>
    public GuestSandbox(SandboxPlan plan, AgentConnection agent)
    {
        (_plan, Agent) = (plan, agent);
        Lost = agent.Completion.ContinueWith(
            static _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }

    public AgentConnection Agent { get; }

    /// <summary>Completes when the agent's channel is gone. Never faults.</summary>
    public Task Lost { get; }

    /// <summary>Why the channel is gone, where nothing else of the machine has ended.</summary>
    public string LossReason => Agent switch
    {
        { Violation: { } violation } => $"the guest's agent broke the protocol: {violation}",
        { Silence: { } silence } => silence,
        { Completion.Exception.InnerException: { } fault } => $"the channel to the guest's agent failed: {GuestText.Escape(fault.Message)}",
        _ => "the guest's agent closed its channel",
    };

    /// <summary>Waits, by event, for the guest's agent and agrees with it.</summary>
    /// <exception cref="HypervisorException">
    /// The machine ended first, or the guest did not come up in time; the console's end is in the text.
    /// </exception>
    /// <exception cref="AgentException">The guest came up, its agent does not answer or speaks another protocol.</exception>
    public static async Task<GuestSandbox> ConnectAsync(
        SandboxPlan plan, Machine machine, SandboxEnvironment environment, CancellationToken cancellationToken)
    {
        // Ends early on: the caller (cancellationToken), the boot limit, the machine's own end (ConnectAgentAsync throws).
        using var limit = new CancellationTokenSource(plan.Timeouts.Boot, environment.Time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        Stream channel;
        try
        {
            channel = await machine.ConnectAgentAsync(both.Token);
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new HypervisorException(BootTimeoutText(plan.Id, plan.Timeouts.Boot, machine.Console));
        }

        try
        {
            AgentConnection agent = await AgentConnection.OpenAsync(
                channel, plan.Timeouts.Dial, plan.Timeouts.Request, environment.Time, cancellationToken);
            if (agent.Hello is { } hello)
            {
                environment.Log.AgentUp(
                    GuestText.Escape(hello.AgentVersion), GuestText.Escape(hello.KernelRelease), hello.Protocol, hello.UptimeMs);
            }

            return new GuestSandbox(plan, agent);
        }
        catch (AgentException error)
        {
            throw new AgentException(
                $"reach the agent in the guest of '{plan.Id}'", error.Code, $"{error.Message}{machine.Console.TailForError()}");
        }
    }

    /// <summary>Tells the agent of the pod: its names, what its containers share, modules, files.</summary>
    /// <exception cref="AgentException">It refuses, or does not answer.</exception>
    public async Task ConfigureAsync(CancellationToken cancellationToken)
    {
        var request = new CreateSandboxRequest
        {
            Hostname = _plan.Hostname,
            SandboxId = _plan.Id.Value,
            SandboxPidns = _plan.SharesPidNamespace,
        };
        request.Storages.Add(new Agent.Protocol.Storage
        {
            Driver = "virtio-fs",
            Source = GuestPaths.ShareTag,
            Fstype = "virtiofs",
            MountPoint = GuestPaths.Share,
            Options = { "nodev" },
        });
        if (_plan.SharedMemory is { } sharedMemory)
        {
            request.Storages.Add(sharedMemory.ToStorage());
        }

        foreach (string module in _plan.KernelModules)
        {
            string[] words = module.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            request.KernelModules.Add(new KernelModule { Name = words[0], Parameters = { words[1..] } });
        }

        await AgentConnection.CallAsync(
            $"set up the guest of '{_plan.Id}'", Agent.Agent.CreateSandboxAsync(request, Agent.Timed(cancellationToken)));
        foreach (GuestFile file in _plan.Files)
        {
            await CopyAsync(file, cancellationToken);
        }
    }

    public ValueTask DisposeAsync() => Agent.DisposeAsync();

    // Most hosts are merely slow; a guest without a word has more likely the wrong kernel.
    internal static string BootTimeoutText(SandboxId id, TimeSpan limit, ConsoleLog console)
    {
        string cause = string.Create(
            CultureInfo.InvariantCulture, $"Cannot boot the guest of '{id}': its agent did not answer within {limit.TotalSeconds:0.#} s");
        const string Remedy = "A slow host needs a longer boot_timeout";
        return console.IsEmpty
            ? $"{cause}{console.TailForError()}. Check the kernel and the image that 'kata-runtime kata-env' names. {Remedy}"
            : $"{cause}. {Remedy}{console.TailForError()}";
    }

    private async Task CopyAsync(GuestFile file, CancellationToken cancellationToken)
    {
        byte[] text = Encoding.UTF8.GetBytes(file.Text);
        int offset = 0;
        do // one part for an empty file too
        {
            int length = Math.Min(CopyPartBytes, text.Length - offset);
            var part = new CopyFileRequest
            {
                Path = file.Path,
                FileSize = text.Length,
                FileMode = FileModes.Readable,
                Offset = offset,
                Data = ByteString.CopyFrom(text, offset, length),
            };
            await AgentConnection.CallAsync(
                $"copy '{file.Path}' into the guest of '{_plan.Id}'", Agent.Agent.CopyFileAsync(part, Agent.Timed(cancellationToken)));
            offset += length;
        }
        while (offset < text.Length);
    }
}
