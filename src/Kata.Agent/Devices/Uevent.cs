namespace Kata.Agent.Devices;

/// <summary>One of the kernel's announcements (lib/kobject_uevent.c): a heading and then KEY=VALUE items, each ended by a NUL.</summary>
internal static class Uevent
{
    /// <summary>Whether it is about a device of a subsystem.</summary>
    public static bool Names(ReadOnlySpan<byte> message, ReadOnlySpan<byte> subsystem)
    {
        ReadOnlySpan<byte> key = "SUBSYSTEM="u8;
        foreach (Range range in message.Split((byte)0))
        {
            ReadOnlySpan<byte> item = message[range];
            if (item.StartsWith(key) && item[key.Length..].SequenceEqual(subsystem))
            {
                return true;
            }
        }

        return false;
    }
}
