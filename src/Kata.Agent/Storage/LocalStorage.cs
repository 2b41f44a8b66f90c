namespace Kata.Agent.Storage;

/// <summary>A directory of the guest's own, which no container's end takes away.</summary>
internal sealed class LocalStorage : IAttachedStorage
{
    public string? Detach() => null;
}
