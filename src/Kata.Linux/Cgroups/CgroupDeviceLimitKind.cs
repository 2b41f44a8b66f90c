namespace Kata.Linux;

internal enum CgroupDeviceLimitKind
{
    ReadBytes,
    WriteBytes,
    ReadOperations,
    WriteOperations,
}
