namespace Kata.Sandbox;

/// <summary>
/// What a caller named its streams: paths of fifos or log URIs, empty for none. A containerd that starts again asks for them, to read on.
/// </summary>
internal sealed record StdioNames(string Input, string Output, string Error, bool Terminal)
{
    public static StdioNames None { get; } = new("", "", "", Terminal: false);
}
