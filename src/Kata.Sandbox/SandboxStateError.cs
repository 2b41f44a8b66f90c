namespace Kata.Sandbox;

/// <summary>What is wrong with the moment of a request.</summary>
internal enum SandboxStateError
{
    NotFound,
    AlreadyExists,
    WrongState,
}
