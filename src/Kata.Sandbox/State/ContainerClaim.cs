namespace Kata.Sandbox;

/// <summary>
/// One claim of a container's id. Most file systems give a new link the number of one that has gone, so the time tells them apart too.
/// </summary>
/// <param name="Inode">Of the link.</param>
/// <param name="MadeAt">When the link was made.</param>
internal readonly record struct ContainerClaim(ulong Inode, DateTimeOffset MadeAt);
