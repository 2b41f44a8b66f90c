namespace Kata.TtRpc;

/// <summary>Gives a request its stream id at the moment it is written, because ids must rise in the order of the wire.</summary>
internal interface IStreamStarter
{
    /// <returns>False when the call has ended meanwhile and nothing is to be written.</returns>
    bool TryStart(out uint streamId);
}
