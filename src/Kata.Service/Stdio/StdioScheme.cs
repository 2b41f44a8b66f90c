namespace Kata.Service;

/// <summary>What stands behind a stream that containerd names.</summary>
internal enum StdioScheme
{
    /// <summary>A fifo that containerd or its client made; a bare path too.</summary>
    Fifo,

    /// <summary>A file that output is appended to.</summary>
    File,

    /// <summary>A program that reads output.</summary>
    Binary,
}
