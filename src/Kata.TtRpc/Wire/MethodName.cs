namespace Kata.TtRpc;

/// <summary>The two names that a request carries.</summary>
internal readonly record struct MethodName(string Service, string Name);
