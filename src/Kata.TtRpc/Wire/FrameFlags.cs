namespace Kata.TtRpc;

/// <summary>Meaning from the sender's side: "remote" is whoever sent the frame. Unknown bits are ignored.</summary>
[Flags]
internal enum FrameFlags : byte
{
    None = 0,
    RemoteClosed = 1,
    RemoteOpen = 2,
    NoData = 4,
}
