using System.Globalization;
using System.Text.Json;
using Kata.Linux;
using Kata.Oci;

namespace Kata.Sandbox;

/// <summary>
/// What all containers of a pod may use together, as far as it is known when the pod is made. Kubernetes tells its engine the sum, and the
/// engine writes it into the annotations of the pod's sandbox: containerd from 1.6 on one number each, CRI-O a document. Where they say
/// nothing the first container's own limits count. Pure.
/// </summary>
/// <param name="MilliProcessors">Thousandths of a processor's time; 0 for no limit.</param>
/// <param name="MemoryBytes">0 for no limit.</param>
internal readonly record struct PodLimits(long MilliProcessors, long MemoryBytes)
{
    private const string Quota = "io.kubernetes.cri.sandbox-cpu-quota";
    private const string Period = "io.kubernetes.cri.sandbox-cpu-period";
    private const string Memory = "io.kubernetes.cri.sandbox-memory";

    private const double LargestMilliProcessors = 1e9;

    /// <summary>CRI-O's names of the same, the newer one first.</summary>
    private static readonly string[] s_documents = ["pod-linux-resources.crio.io", "io.kubernetes.cri-o.PodLinuxResources"];

    /// <exception cref="InvalidSpecException">An annotation or a set of processors cannot be read.</exception>
    public static PodLimits Of(RuntimeSpec spec)
    {
        PodLimits told = PodAnnotations.Identify(spec.Annotations).Kind == PodKind.PodSandbox ? OfAnnotations(spec.Annotations!) : default;
        LinuxResources own = spec.Linux?.Resources ?? new LinuxResources();
        return new PodLimits(
            told.MilliProcessors > 0 ? told.MilliProcessors : OwnProcessors(own.Cpu),
            told.MemoryBytes > 0 ? told.MemoryBytes : SandboxPlanner.MemoryLimitOf(own) ?? 0);
    }

    /// <summary>A quota as thousandths of a processor, rounded up; 0 for none.</summary>
    public static long ProcessorsOf(long? quota, ulong? period) => quota is > 0
        ? (long)Math.Min(
            Math.Ceiling(quota.Value * 1000.0 / (period is > 0 ? period.Value : CgroupLimits.CpuPeriodUs)), LargestMilliProcessors)
        : 0;

    // Without a quota a container may use every processor of its set.
    private static long OwnProcessors(LinuxCpu? cpu) =>
        ProcessorsOf(cpu?.Quota, cpu?.Period) is > 0 and var processors
            ? processors
            : CpuList.Count("/linux/resources/cpu/cpus", cpu?.Cpus) * 1000L;

    private static PodLimits OfAnnotations(IReadOnlyDictionary<string, string> annotations)
    {
        foreach (string name in s_documents)
        {
            if (annotations.TryGetValue(name, out string? document) && Parse(name, document) is { } limits)
            {
                return limits;
            }
        }

        return Of(Number(annotations, Quota), Number(annotations, Period), Number(annotations, Memory));
    }

    private static PodLimits Of(long quota, long period, long memory) => new(
        ProcessorsOf(quota, (ulong)Math.Max(0, period)),
        SandboxPlanner.MemoryLimitOf(new LinuxResources { Memory = new LinuxMemory { Limit = memory } }) ?? 0);

    // 0 and -1 are the engines' words for no limit.
    private static long Number(IReadOnlyDictionary<string, string> annotations, string name)
    {
        if (!annotations.TryGetValue(name, out string? text))
        {
            return 0;
        }

        return long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long number) && number >= -1
            ? number
            : throw new InvalidSpecException(
                $"/annotations/{name}", $"holds {SpecText.Quote(text)}", "It must be a whole number, or 0 for no limit");
    }

    // CRI's LinuxContainerResources; of its fields these decide how large a machine is. Null, or nothing, is what CRI-O writes for a pod of
    // which its client said none.
    private static PodLimits? Parse(string name, string text)
    {
        if (string.IsNullOrWhiteSpace(text))
        {
            return null;
        }

        try
        {
            using var document = JsonDocument.Parse(text);
            return document.RootElement.ValueKind == JsonValueKind.Null
                ? null
                : Of(Field("cpu_quota"), Field("cpu_period"), Field("memory_limit_in_bytes"));

            long Field(string field) =>
                document.RootElement.TryGetProperty(field, out JsonElement value) && value.ValueKind != JsonValueKind.Null
                    ? value.GetInt64() : 0;
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException or FormatException)
        {
            throw new InvalidSpecException(
                $"/annotations/{name}", $"holds {SpecText.Quote(text)}",
                "It must be a JSON object with the numbers cpu_period, cpu_quota and memory_limit_in_bytes", error);
        }
    }
}
