using static Kata.Oci.FieldRules;

namespace Kata.Oci;

/// <summary>The rules for mounts.</summary>
internal static class MountRules
{
    internal static void Check(IReadOnlyList<MountSpec>? mounts)
    {
        for (int i = 0; i < (mounts?.Count ?? 0); i++)
        {
            string pointer = At("/mounts", i);
            MountSpec mount = NotNull(pointer, mounts![i]);
            CheckAbsolute($"{pointer}/destination", mount.Destination);
            CheckNoNul($"{pointer}/source", mount.Source ?? "");
            CheckNoNul($"{pointer}/type", mount.Type ?? "");
            CheckStrings($"{pointer}/options", mount.Options);
            LinuxRules.CheckMappings($"{pointer}/uidMappings", mount.UidMappings);
            LinuxRules.CheckMappings($"{pointer}/gidMappings", mount.GidMappings);
        }
    }
}
