namespace Kata.Sandbox;

/// <summary>A hook of the caller failed, could not be started or took too long.</summary>
internal sealed class HookException : Exception
{
    internal HookException(string hook, string path, string cause, string remedy, Exception? inner = null)
        : base($"Cannot run the {hook} '{path}': {cause}. {remedy}", inner) => HookPath = path;

    /// <summary>The hook's program.</summary>
    public string HookPath { get; }
}
