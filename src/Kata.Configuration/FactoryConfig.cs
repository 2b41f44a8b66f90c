namespace Kata.Configuration;

/// <summary>The <c>[factory]</c> table: machines that are made before anybody asks for them.</summary>
internal sealed record FactoryConfig
{
    public const string DefaultCacheEndpoint = "/run/kata-containers/cache.sock";

    /// <summary>How many wait for a pod; 0 for no pool.</summary>
    public required int CacheNumber { get; init; }

    /// <summary>Absolute path of the socket of whoever keeps the pool.</summary>
    public required string CacheEndpoint { get; init; }

    /// <summary>The state root of what waits.</summary>
    public string CacheDirectory =>
        System.IO.Path.Combine(System.IO.Path.GetDirectoryName(CacheEndpoint)!, System.IO.Path.GetFileNameWithoutExtension(CacheEndpoint));
}
