namespace Kata.Agent.Boot;

/// <summary>Takes processors and memory that the host added into use, by /sys.</summary>
internal static class HotplugSysfs
{
    private const string Processors = "/sys/devices/system/cpu";
    private const string Memory = "/sys/devices/system/memory";

    /// <summary>
    /// Onlines processors until <paramref name="processors"/> are in use (0: leave them), and every memory block unless told otherwise.
    /// </summary>
    /// <exception cref="Grpc.Core.RpcException">FailedPrecondition: fewer processors are there; the host may ask again.</exception>
    public static void Online(uint processors, bool processorsOnly)
    {
        if (processors > 0)
        {
            string[] all = Directory.GetDirectories(Processors, "cpu*")
                .Where(static path => char.IsAsciiDigit(path[^1]) && IsNumbered(path, "cpu")).ToArray();
            uint online = 0;
            foreach (string path in all)
            {
                string file = $"{path}/online";
                bool fixedOnline = !File.Exists(file); // the first one often cannot be switched
                if (!fixedOnline && online < processors && File.ReadAllText(file).Trim() == "0")
                {
                    File.WriteAllText(file, "1");
                }

                online += fixedOnline || File.ReadAllText(file).Trim() == "1" ? 1u : 0u;
            }

            if (online < processors)
            {
                throw AgentException.WrongState(
                    $"Cannot take {processors} processors into use: the guest has {online}. Add them to the machine first");
            }
        }

        if (!processorsOnly && Directory.Exists(Memory))
        {
            foreach (string block in Directory.GetDirectories(Memory, "memory*").Where(static path => IsNumbered(path, "memory")))
            {
                string file = $"{block}/state";
                if (File.Exists(file) && File.ReadAllText(file).Trim() == "offline")
                {
                    File.WriteAllText(file, "online");
                }
            }
        }
    }

    private static bool IsNumbered(string path, string prefix) =>
        Path.GetFileName(path.AsSpan())[prefix.Length..].IndexOfAnyExceptInRange('0', '9') < 0;
}
