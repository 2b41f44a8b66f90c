namespace Kata.Runtime.Shim;

/// <summary>What <c>start</c> answers from version 3 of the bootstrap protocol on.</summary>
/// <param name="Version">Of the protocol and of the Task service.</param>
/// <param name="Address">Where the service listens.</param>
/// <param name="Protocol"><c>ttrpc</c>.</param>
internal sealed record BootstrapAnswer(int Version, string Address, string Protocol);
