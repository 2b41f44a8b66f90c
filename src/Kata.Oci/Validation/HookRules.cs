using static Kata.Oci.FieldRules;

namespace Kata.Oci;

/// <summary>The rules for hooks.</summary>
internal static class HookRules
{
    internal static void Check(HookSet? hooks)
    {
        if (hooks is null)
            return;
        CheckList("/hooks/prestart", hooks.Prestart);
        CheckList("/hooks/createRuntime", hooks.CreateRuntime);
        CheckList("/hooks/createContainer", hooks.CreateContainer);
        CheckList("/hooks/startContainer", hooks.StartContainer);
        CheckList("/hooks/poststart", hooks.Poststart);
        CheckList("/hooks/poststop", hooks.Poststop);
    }

    private static void CheckList(string pointer, IReadOnlyList<HookSpec>? hooks)
    {
        for (int i = 0; i < (hooks?.Count ?? 0); i++)
        {
            HookSpec hook = NotNull(At(pointer, i), hooks![i]);
            CheckAbsolute($"{At(pointer, i)}/path", hook.Path);
            CheckStrings($"{At(pointer, i)}/args", hook.Args);
            CheckStrings($"{At(pointer, i)}/env", hook.Env);
            CheckRange($"{At(pointer, i)}/timeout", hook.Timeout, 1, int.MaxValue);
        }
    }
}
