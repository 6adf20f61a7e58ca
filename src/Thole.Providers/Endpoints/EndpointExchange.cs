using System.Buffers;
using System.Text.Json;
using Thole.Core.Models;
using Thole.Wire.Sse;

namespace Thole.Providers.Endpoints;

/// <summary>
/// One answer on its way in: bytes to events, and at the end the judgement whether it was whole. What comes is sniffed, because
/// servers mislabel it: an event stream, one JSON document in place of a stream, or a web page.
/// </summary>
internal sealed class EndpointExchange(Stream body, IAnswer answer, EndpointFailures failures, Patience patience) : IDisposable
{
    private const int LongestDocument = 32 * 1024 * 1024;

    private readonly RawTrace _raw = new();
    private readonly SseReader _events = new();
    private readonly byte[] _buffer = ArrayPool<byte>.Shared.Rent(16 * 1024);
    private MemoryStream? _document;
    private bool _isSniffed;
    private bool _isAtEnd;

    /// <summary>Waits for the next bytes and says what they mean.</summary>
    /// <returns>False once the answer is whole; then the last event was the end.</returns>
    public async ValueTask<bool> ReadAsync(List<ModelEvent> said)
    {
        var bytes = await ReceiveAsync();
        try
        {
            return bytes.IsEmpty ? End(said) : Take(bytes.Span, said);
        }
        catch (SseLimitException tooLong)
        {
            throw failures.Failed(ModelFailure.StreamError, $"{failures.Who}: {tooLong.Message}", _raw, tooLong);
        }
        catch (Exception malformed) when (malformed is JsonException or InvalidOperationException or FormatException)
        {
            // JsonElement throws the latter two where a string is no UTF-8 or an escape is broken.
            throw failures.Failed(
                ModelFailure.StreamError,
                $"{failures.Who} sent what is no JSON within its answer.",
                _raw,
                malformed
            );
        }
    }

    public void Dispose()
    {
        body.Dispose();
        _document?.Dispose();
        ArrayPool<byte>.Shared.Return(_buffer);
    }

    private async ValueTask<ReadOnlyMemory<byte>> ReceiveAsync()
    {
        try
        {
            var length = await body.ReadAsync(_buffer, patience.Token);
            patience.Heard();
            _raw.Add(_buffer.AsSpan(0, length));
            return _buffer.AsMemory(0, length);
        }
        catch (OperationCanceledException given)
        {
            var gone = patience.Explain(failures.Who);
            if (_isAtEnd)
            {
                return default;
            }

            throw gone is { } reason ? failures.Failed(reason.Failure, reason.Message, _raw, given) : Broken(given);
        }
        catch (Exception broken) when (broken is IOException or HttpRequestException or InvalidDataException)
        {
            return _isAtEnd ? default : throw Broken(broken);
        }
    }

    private ModelException Broken(Exception why) =>
        failures.Failed(
            ModelFailure.StreamCut,
            $"The connection to {failures.Who} broke in the middle of the answer.",
            _raw,
            why
        );

    private bool Take(ReadOnlySpan<byte> bytes, List<ModelEvent> said)
    {
        if (!_isSniffed)
        {
            var begin = bytes.IndexOfAnyExcept(" \t\r\n"u8);
            _isSniffed = begin >= 0;
            _document = begin >= 0 && bytes[begin] is (byte)'{' or (byte)'[' or (byte)'<' ? new MemoryStream() : null;
        }

        if (_document is not null)
        {
            _document.Write(bytes);
            return _document.Length <= LongestDocument
                ? true
                : throw failures.Failed(
                    ModelFailure.StreamError,
                    $"{failures.Who} sent a document without end in place of an answer.",
                    _raw
                );
        }

        _events.Feed(bytes);
        while (_events.TryRead(out var read))
        {
            try
            {
                _isAtEnd = TakeEvent(read, said);
            }
            catch (JsonException) when (_isAtEnd)
            {
                // After the end mark what is no event is no part of the answer either.
            }

            if (_isAtEnd && !answer.ReadsOn)
            {
                Conclude(hasEndMark: true, said);
                return false;
            }
        }

        if (_isAtEnd)
        {
            patience.Linger();
        }

        return true;
    }

    /// <returns>Whether it was the end mark.</returns>
    private bool TakeEvent(SseEvent read, List<ModelEvent> said)
    {
        var data = read.Data.Span.Trim(" \t"u8);
        if (data.SequenceEqual("[DONE]"u8))
        {
            return true;
        }

        if (data.IsEmpty)
        {
            return false;
        }

        using var parsed = JsonDocument.Parse(read.Data);
        return answer.Complaint(read.Name ?? "", parsed.RootElement) is { } complaint
            ? throw failures.InStream(ProviderComplaint.Read(complaint), _raw)
            : answer.Take(read.Name ?? "", parsed.RootElement, said);
    }

    private bool End(List<ModelEvent> said)
    {
        if (_document is not null)
        {
            EndDocument(_document, said);
            return false;
        }

        // Some servers forget the blank line after their end mark. Anything else without it is the trace of a cut.
        var hasEndMark = _events.IsInsideEvent;
        if (hasEndMark && !(_events.TryReadUnfinished(out var last) && IsEndMark(last, said)))
        {
            throw Cut();
        }

        Conclude(hasEndMark || _isAtEnd, said);
        return false;
    }

    private bool IsEndMark(SseEvent unfinished, List<ModelEvent> said)
    {
        try
        {
            return TakeEvent(unfinished, said);
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private void EndDocument(MemoryStream document, List<ModelEvent> said)
    {
        var bytes = new ReadOnlyMemory<byte>(document.GetBuffer(), 0, (int)document.Length);
        if (bytes.Span.TrimStart(" \t\r\n"u8)[0] == '<')
        {
            throw failures.Failed(
                ModelFailure.InvalidRequest,
                $"{failures.Who} answered with a web page: check the base address, which usually ends in /v1.",
                _raw
            );
        }

        JsonDocument whole;
        try
        {
            whole = JsonDocument.Parse(bytes);
        }
        catch (JsonException)
        {
            throw Cut();
        }

        using (whole)
        {
            var isAnswer = whole.RootElement.ValueKind is JsonValueKind.Object or JsonValueKind.Array;
            if ((isAnswer ? answer.Complaint("", whole.RootElement) : whole.RootElement) is { } complaint)
            {
                throw failures.InStream(ProviderComplaint.Read(complaint), _raw);
            }

            // A document that is whole is its own end mark.
            answer.TakeWhole(whole.RootElement, said);
            Conclude(hasEndMark: true, said);
        }
    }

    private void Conclude(bool hasEndMark, List<ModelEvent> said)
    {
        switch (answer.Judge(hasEndMark))
        {
            case AnswerEnd.Cut:
                throw Cut();
            case AnswerEnd.Failed:
                throw failures.Failed(ModelFailure.StreamError, $"{failures.Who} broke off its answer with an error.", _raw);
            case AnswerEnd.Refused:
                throw failures.ContentRefused(answer.Explanation ?? "", _raw);
            case AnswerEnd.Empty:
                throw failures.Failed(
                    ModelFailure.StreamError,
                    $"{failures.Who} ended its answer without having said anything.",
                    _raw
                );
        }

        answer.Finish(said);
    }

    private ModelException Cut() =>
        failures.Failed(ModelFailure.StreamCut, $"The answer of {failures.Who} ended before it was finished.", _raw);
}
