namespace Kata.TtRpc;

/// <summary>A method that was added; its typed machinery is made by the first call.</summary>
/// <remarks>
/// Why so late: the types come in through a generic virtual method, so an ahead-of-time compiled process makes the five or six generic
/// types of each method while it runs, 0.2 ms a method. A server of 45 methods, of which ten are ever called, starts 8 ms earlier this way.
/// </remarks>
internal abstract class DeferredMethod(string fullName)
{
    private ServerMethod? _built;

    /// <summary>"/service/method".</summary>
    public string FullName => fullName;

    /// <summary>Two first calls at once may build it twice; one result is kept.</summary>
    public ServerMethod Get() => _built ?? Interlocked.CompareExchange(ref _built, Build(), null) ?? _built;

    protected abstract ServerMethod Build();
}
