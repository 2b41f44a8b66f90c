namespace Kata.Sandbox.Tests.Steps;

public sealed class StepRefusedException(int step) : Exception($"step {step} does not want to")
{
    public int Step { get; } = step;
}
