using System.Runtime.CompilerServices;
using Thole.Core.Models;
using Thole.Protocol;

namespace Thole.Testing.Models;

/// <summary>
/// A model in this process that says what a test scripted, one step a request:
/// <c>new ScriptedModel().Step(s => s.Text("I look.").Call("read_file", "{}")).Step(s => s.Text("Done."))</c>.
/// </summary>
public sealed class ScriptedModel : IModel
{
    private readonly Lock _lock = new();
    private readonly Queue<ScriptedStep> _steps = new();
    private readonly List<ModelRequest> _requests = [];
    private Action<ScriptedStep>? _otherwise;

    public IReadOnlyList<ModelRequest> Requests
    {
        get
        {
            lock (_lock)
            {
                return [.. _requests];
            }
        }
    }

    /// <summary>Answers the next request. Where the step neither fails nor finishes, a finish is added.</summary>
    public ScriptedModel Step(Action<ScriptedStep> script)
    {
        var step = new ScriptedStep();
        script(step);
        lock (_lock)
        {
            _steps.Enqueue(step);
        }

        return this;
    }

    /// <summary>Answers every request for which no step is left.</summary>
    public ScriptedModel Otherwise(Action<ScriptedStep> script)
    {
        _otherwise = script;
        return this;
    }

    public async IAsyncEnumerable<ModelEvent> StreamAsync(
        ModelRequest request,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        ScriptedStep? step;
        lock (_lock)
        {
            _requests.Add(request);
            if (!_steps.TryDequeue(out step))
            {
                step = new ScriptedStep();
                (_otherwise ?? throw new InvalidOperationException($"The script has no step {_requests.Count}."))(step);
            }
        }

        foreach (var part in step.Parts)
        {
            cancellationToken.ThrowIfCancellationRequested();
            switch (part)
            {
                case Task gate:
                    await gate.WaitAsync(cancellationToken);
                    break;
                case Exception failure:
                    throw failure;
                case ModelEvent said:
                    yield return said;
                    break;
            }
        }

        if (step.Parts is not [.., ModelFinished])
        {
            yield return new ModelFinished(StopReason.Done, new Usage(10, 5));
        }
    }
}

/// <summary>What a <see cref="ScriptedModel"/> does in one request, in order.</summary>
public sealed class ScriptedStep
{
    internal List<object> Parts { get; } = [];

    public ScriptedStep Text(string text) => Add(new TextDelta(text));

    public ScriptedStep Reasoning(string text) => Add(new ReasoningDelta(text));

    public ScriptedStep Call(string name, string arguments = "{}", string? id = null, string? problem = null) =>
        Add(new CallProposed(id ?? $"call_{Parts.OfType<CallProposed>().Count() + 1}", name, arguments, problem));

    /// <summary>Goes on once the test lets it; an interrupt is heard meanwhile.</summary>
    public ScriptedStep Wait(Task gate) => Add(gate);

    public ScriptedStep Hang() => Add(Task.Delay(Timeout.Infinite));

    public ScriptedStep Fail(ModelFailure failure, string message = "scripted") => Add(new ModelException(failure, message));

    public ScriptedStep Fail(Exception failure) => Add(failure);

    public ScriptedStep Finish(StopReason stop = StopReason.Done, Usage? usage = null) =>
        Add(new ModelFinished(stop, usage ?? new Usage(10, 5)));

    public ScriptedStep Say(ModelEvent said) => Add(said);

    private ScriptedStep Add(object part)
    {
        Parts.Add(part);
        return this;
    }
}
