namespace Kata.Agent.Containers;

/// <summary>Takes containers apart.</summary>
internal sealed class ContainerRemover(ContainerTable table, ContainerCleaner cleaner, Crun crun)
{
    /// <summary>Kills what lives in it, waits for the end and removes every trace.</summary>
    /// <param name="container">Nobody may use it afterwards.</param>
    /// <param name="limit">How long the killed processes may take; infinite for no limit.</param>
    /// <param name="cancellationToken">The caller does not wait any longer: it may ask again.</param>
    public async Task RemoveAsync(Container container, TimeSpan limit, CancellationToken cancellationToken)
    {
        await container.Turn.WaitAsync(cancellationToken);
        try
        {
            container.Cgroup.Kill();
            using var deadline = new CancellationTokenSource(limit);
            using var both = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
            try
            {
                await container.Init.Exited.WaitAsync(both.Token);
                await container.Cgroup.WaitEventAsync("populated", "0", both.Token);
            }
            catch (OperationCanceledException) when (deadline.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
            {
                throw AgentException.Of(
                    Grpc.Core.StatusCode.DeadlineExceeded,
                    $"Cannot remove the container '{container.Id}': its processes still live {limit.TotalSeconds:0} s after SIGKILL");
            }

            if (container.HasDeleteHooks)
            {
                await crun.RunOnAsync(container, "remove", ["delete", "--force", container.Id.CrunName], cancellationToken);
            }

            await cleaner.RemoveAsync(container);
            table.Remove(container.Id);
        }
        finally
        {
            container.Turn.Release();
        }
    }
}
