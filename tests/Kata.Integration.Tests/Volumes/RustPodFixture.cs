using Kata.Integration.Tests.Storage;

namespace Kata.Integration.Tests.Volumes;

/// <summary>A pod whose files the Rust virtiofsd serves.</summary>
public sealed class RustPodFixture : FileServerPodFixture
{
    private protected override string Daemon => FileServerFixture.Rust;
}
