namespace Kata.Sandbox;

/// <summary>A point of the life cycle at which hooks run on the host; <c>startContainer</c> hooks run in the guest.</summary>
internal enum HookPoint
{
    Prestart,
    CreateRuntime,
    CreateContainer,
    Poststart,
    Poststop,
}
