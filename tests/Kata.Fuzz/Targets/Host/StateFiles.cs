using System.Text.Json;
using Kata.Sandbox;

namespace Kata.Fuzz.Targets;

/// <summary>
/// What pods leave on the host. A file that is none of ours is refused or its lines skipped; what is read is written and read again.
/// </summary>
internal sealed class StateFiles(string name)
{
    private readonly string _path = Path.Combine(Scratch.NewDirectory(name), name);

    public void Journal(byte[] input)
    {
        File.WriteAllBytes(_path, input);
        IReadOnlyList<Acquisition> held = AcquisitionJournal.ReadHeld(_path);
        using (AcquisitionJournal journal = AcquisitionJournal.Open(_path))
        {
            var last = new FileAcquisition("/the/last");
            journal.Record(last);
            IReadOnlyList<Acquisition> after = AcquisitionJournal.ReadHeld(_path);
            Finding.Unless(after.SequenceEqual([last, .. held]), "a record after these lines is lost, or they are");
            journal.Release(last);
        }

        Finding.Unless(AcquisitionJournal.ReadHeld(_path).SequenceEqual(held), "a record is not taken back");
    }

    public void State(byte[] input)
    {
        File.WriteAllBytes(_path, input);
        if (SandboxStateStore.Read(_path) is not { } state)
        {
            throw new Finding("a file that is there is not read");
        }

        string before = Text(state);
        SandboxStateStore.Write(_path, state);
        SandboxState? again;
        try
        {
            again = SandboxStateStore.Read(_path);
        }
        catch (InvalidDataException refusal)
        {
            throw new Finding($"what was written is refused: {refusal.Message}");
        }

        Finding.Unless(again is not null && Text(again) == before, "what was written reads as something else");
    }

    private static string Text(SandboxState state) => JsonSerializer.Serialize(state, SandboxJsonContext.Default.SandboxState);
}
