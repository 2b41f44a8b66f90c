using System.Buffers;
using System.Text;
using System.Text.Json;

namespace Kata.Hypervisor.Qemu.Qmp;

/// <summary>
/// A JSON object for QEMU, its members in the order of their setting. Text in it is a value and can be nothing else. (The framework's
/// JsonObject would add 230 KB to the executable.)
/// </summary>
internal sealed class QmpObject
{
    private readonly List<(string Name, QmpValue Value)> _members = [];

    /// <summary>Adds a member; each name is set once.</summary>
    public QmpValue this[string name]
    {
        get => _members.Find(member => member.Name == name).Value;
        set => _members.Add((name, value));
    }

    /// <summary>As one line, without its end.</summary>
    public string ToJson()
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            Write(writer);
        }

        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    private void Write(Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        foreach ((string name, QmpValue value) in _members)
        {
            writer.WritePropertyName(name);
            switch (value.Value)
            {
                case string text:
                    writer.WriteStringValue(text);
                    break;
                case long number:
                    writer.WriteNumberValue(number);
                    break;
                case bool flag:
                    writer.WriteBooleanValue(flag);
                    break;
                case QmpObject inner:
                    inner.Write(writer);
                    break;
            }
        }

        writer.WriteEndObject();
    }
}
