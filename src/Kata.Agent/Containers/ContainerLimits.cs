using Kata.Agent.Cgroups;
using Kata.Agent.Protocol.Oci;
using Kata.Agent.Specifications;
using Microsoft.Extensions.Logging;

namespace Kata.Agent.Containers;

/// <summary>Changes what living containers may use.</summary>
internal sealed class ContainerLimits(Crun crun, ILogger logger)
{
    /// <summary>Applies new limits, all of them or none; what the request leaves out stays.</summary>
    /// <param name="container">The container.</param>
    /// <param name="resources">What crun has a name for; null for nothing.</param>
    /// <param name="files">The rest, by file of the cgroup.</param>
    /// <param name="cancellationToken">Its caller has given up: everything is as before then.</param>
    public async Task UpdateAsync(
        Container container, LinuxResources? resources, IReadOnlyDictionary<string, string> files, CancellationToken cancellationToken)
    {
        await container.Turn.WaitAsync(cancellationToken);
        try
        {
            var before = CgroupSnapshot.Take(container.Cgroup, files.Keys);
            try
            {
                await ApplyAsync(container, resources, files, cancellationToken);
            }
            catch
            {
                foreach (string file in before.Restore())
                {
                    logger.CleanupIncomplete(container.Id.Value, $"the limit '{file}' of an update that failed");
                }

                throw;
            }
        }
        finally
        {
            container.Turn.Release();
        }
    }

    private async Task ApplyAsync(
        Container container, LinuxResources? resources, IReadOnlyDictionary<string, string> files, CancellationToken cancellationToken)
    {
        if (resources is not null)
        {
            string file = $"{container.Directory}/resources.json";
            try
            {
                await File.WriteAllBytesAsync(file, ResourcesJson.Write(resources), cancellationToken);
                await crun.RunOnAsync(container, "update", ["update", $"--resources={file}", container.Id.CrunName], cancellationToken);
            }
            finally
            {
                File.Delete(file);
            }
        }

        cancellationToken.ThrowIfCancellationRequested();
        foreach ((string file, string value) in files)
        {
            container.Cgroup.WriteLimit(file, value);
        }
    }
}
