using System.Text.Json;
using Google.Protobuf.Collections;
using Kata.Agent.Protocol.Extension;
using Kata.Agent.Protocol.Oci;

namespace Kata.Agent.Specifications;

/// <summary>A container's filter of system calls as crun reads it.</summary>
internal static class SeccompJson
{
    public static void Write(Utf8JsonWriter json, LinuxSeccomp? seccomp, ContainerExtension? extension)
    {
        if (seccomp is null || seccomp.DefaultAction.Length == 0)
        {
            return;
        }

        json.WriteStartObject("seccomp");
        json.WriteString("defaultAction", seccomp.DefaultAction);
        if (extension is { HasSeccompDefaultErrno: true })
        {
            json.WriteNumber("defaultErrnoRet", extension.SeccompDefaultErrno);
        }

        json.WriteStrings("architectures", seccomp.Architectures, always: false);
        json.WriteStrings("flags", seccomp.Flags, always: false);
        json.WriteStartArray("syscalls");
        foreach (LinuxSyscall rule in seccomp.Syscalls)
        {
            json.WriteStartObject();
            json.WriteStrings("names", rule.Names, always: true);
            json.WriteString("action", rule.Action);
            if (rule.ErrnoRetCase == LinuxSyscall.ErrnoRetOneofCase.Errnoret)
            {
                json.WriteNumber("errnoRet", rule.Errnoret);
            }

            WriteArguments(json, rule.Args);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteArguments(Utf8JsonWriter json, RepeatedField<LinuxSeccompArg> arguments)
    {
        if (arguments.Count == 0)
        {
            return;
        }

        json.WriteStartArray("args");
        foreach (LinuxSeccompArg argument in arguments)
        {
            json.WriteStartObject();
            json.WriteNumber("index", argument.Index);
            json.WriteNumber("value", argument.Value);
            json.WriteNumber("valueTwo", argument.ValueTwo);
            json.WriteString("op", argument.Op);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }
}
