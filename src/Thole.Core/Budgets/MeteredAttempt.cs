using Thole.Core.Context;
using Thole.Core.Models;
using Thole.Protocol;

namespace Thole.Core.Budgets;

/// <summary>
/// One request on its way, from its reservation to its settlement. What the provider does not count is estimated: all that was sent, and
/// all that was said. Only what was refused before a word was said costs nothing.
/// </summary>
internal sealed class MeteredAttempt
{
    /// <summary>What an answer is expected to be; most steps of a turn are calls, and short.</summary>
    private const long ExpectedOutput = 1_000;

    private readonly ModelEndpoint _endpoint;
    private readonly Ledger _ledger;
    private readonly Reservation _reservation;
    private long _said;
    private bool _isSettled;

    private MeteredAttempt(ModelEndpoint endpoint, Ledger ledger, Reservation reservation) =>
        (_endpoint, _ledger, _reservation) = (endpoint, ledger, reservation);

    /// <exception cref="ModelException">A budget is spent, or is one of dollars and the model has no price. Nothing was sent.</exception>
    /// <exception cref="Log.LogException">There is a budget, and nobody can tell what is left of it.</exception>
    public static MeteredAttempt Begin(ModelEndpoint endpoint, ModelRequest request, Ledger ledger, IReadOnlyList<Cap> caps)
    {
        if (endpoint.Price is null && caps.FirstOrDefault(static cap => cap.Unit is BudgetUnit.Dollars) is { } inDollars)
        {
            throw new ModelException(
                ModelFailure.PriceUnknown,
                $"There is a budget in dollars ({inDollars.Setting}), and nobody told what {endpoint.Name} costs: set {PriceSetting(endpoint)}.input"
                    + " and .output in your settings, or use a budget in tokens. Nothing was sent."
            );
        }

        // What costs nothing may go on when the money is spent.
        var concerned =
            endpoint.Price?.AtMost(1, 1) == 0 ? caps.Where(static cap => cap.Unit is not BudgetUnit.Dollars).ToList() : caps;
        var (input, output) = (ContextSize.Of(request), Math.Min(ExpectedOutput, endpoint.Limits.MaxOutput));
        var expected = new Charge(request.Account, endpoint.Name, input, 0, output, endpoint.Price?.AtMost(input, output));
        return ledger.Reserve(expected, concerned, out var reservation) is { } shortage
            ? throw new ModelException(ModelFailure.BudgetExhausted, shortage.Sentence)
            : new MeteredAttempt(endpoint, ledger, reservation);
    }

    public void Hear(ModelEvent said)
    {
        switch (said)
        {
            case TextDelta(var text):
                _said += text.Length;
                break;
            case ReasoningDelta(var text):
                _said += text.Length;
                break;
            case CallProposed call:
                _said += call.Name.Length + call.Arguments.Length;
                break;
            case AttemptVoided voided:
                Fail(voided.Failure);
                break;
            case ModelFinished finished:
                Finish(finished.Usage);
                break;
        }
    }

    /// <summary>The provider refused it, or it broke.</summary>
    public void Fail(ModelException failure)
    {
        if (_isSettled)
        {
            return;
        }

        // A stream that had been opened, and broke before its first word, was worked on.
        if (_said > 0 || failure.Failure is ModelFailure.StreamCut or ModelFailure.StreamIdle or ModelFailure.StreamError)
        {
            Abandon();
            return;
        }

        _isSettled = true;
        _ledger.Release(_reservation);
    }

    /// <summary>Nobody listens any more: an interrupt, or an end that was none. The provider has worked until now.</summary>
    public void Abandon()
    {
        if (!_isSettled)
        {
            Settle(new Usage());
        }
    }

    private void Finish(Usage usage)
    {
        if (!_isSettled)
        {
            Settle(usage);
        }
    }

    private void Settle(Usage usage)
    {
        _isSettled = true;
        var expected = _reservation.Expected;
        var isCounted = usage is { InputTokens: not null, OutputTokens: not null };
        var whole = usage with
        {
            InputTokens = usage.InputTokens ?? expected.Input,
            OutputTokens = usage.OutputTokens ?? ContextSize.OfLength(_said),
        };
        var charge = new Charge(
            expected.Account,
            expected.Model,
            whole.InputTokens.Value,
            whole.CachedTokens ?? 0,
            whole.OutputTokens.Value,
            _endpoint.Price?.Of(whole)
        );
        _ledger.Settle(_reservation, charge, isCounted ? ChargeState.Counted : ChargeState.Estimated);
    }

    private static string PriceSetting(ModelEndpoint endpoint)
    {
        var provider = endpoint.Name[..Math.Max(0, endpoint.Name.IndexOf('/'))];
        return $"providers.{provider}.models.\"{endpoint.Model}\".price";
    }
}
