using System.Runtime.CompilerServices;
using System.Text.Json;
using Thole.Protocol;

namespace Thole.Client;

/// <summary>
/// The runtime of a daemon, as if it were here. Whoever asks is whom the token proves: the actor of a command is not sent.
/// Made by <see cref="TholeClient"/>.
/// </summary>
public sealed class DaemonRuntime : IAgentRuntime
{
    // A stream that held so long was a good one: what comes after it is a new misfortune.
    private static readonly TimeSpan s_long = TimeSpan.FromSeconds(10);

    private readonly DaemonConnection _daemon;

    internal DaemonRuntime(DaemonConnection daemon) => _daemon = daemon;

    /// <param name="request">An empty model leaves it to the daemon.</param>
    /// <param name="cancellationToken">Gives up waiting; what was sent by then may still happen.</param>
    /// <exception cref="DaemonLostException">It was asked for a new session, and the answer was lost.</exception>
    /// <inheritdoc/>
    public async ValueTask<SessionId> OpenSessionAsync(OpenSession request, CancellationToken cancellationToken) =>
        (
            await OpenAsync(
                new OpenRequest(
                    request.Workspace,
                    request.Session,
                    request.Model is { Length: > 0 } model ? model : null,
                    request.ApprovalMode,
                    request.NewSession
                ),
                cancellationToken
            )
        ).Session;

    /// <summary>
    /// What names its prompt, turn or question is asked again where its answer was lost; what sets a state is not, because another
    /// may have set another since.
    /// </summary>
    /// <exception cref="DaemonLostException">The daemon cannot be reached, or its answer was lost.</exception>
    /// <inheritdoc/>
    public async ValueTask<Receipt> SubmitAsync(
        SessionId session,
        Command command,
        Actor actor,
        CancellationToken cancellationToken
    ) =>
        await _daemon.AskAsync(
            new DaemonRequest(
                HttpMethod.Post,
                $"{PathOf(session)}/commands",
                IsHarmless: command is Prompt or Steer or Withdraw or Interrupt or AnswerPermission
            )
            {
                Body = JsonSerializer.SerializeToUtf8Bytes(command, ProtocolJson.Default.Command),
            },
            ProtocolJson.Default.Receipt,
            cancellationToken
        );

    /// <summary>
    /// Everything after <paramref name="after"/>, then whatever follows, each event once and in order, whatever becomes of connections
    /// and of the daemon in between. It ends where the session is closed and nothing of it runs.
    /// </summary>
    /// <exception cref="RefusedException">The daemon says no, and would again: no such session, a wrong token, an impossible cursor.</exception>
    /// <exception cref="DaemonLostException">It could not be found again for <see cref="ClientOptions.ReadingPatience"/>.</exception>
    public async IAsyncEnumerable<Envelope> ReadAsync(
        SessionId session,
        long after,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        var options = _daemon.Options;
        var attempts = new Attempts(options, options.ReadingPatience);
        var (isLost, doubted) = (false, -1L);
        while (true)
        {
            using var feed = new EventFeed(_daemon, session, after, cancellationToken);
            var isOpen = await feed.OpenAsync();
            if (isLost == isOpen)
            {
                isLost = !isOpen;
                options.OnContact?.Invoke(isLost ? Contact.Lost : Contact.Found);
            }

            var openedAt = options.Time.GetTimestamp();
            while (isOpen && await feed.NextAsync() is { } envelope)
            {
                if (envelope.Sequence <= after)
                {
                    continue; // it is known here
                }

                // A number that is missing is asked for once more. What the log itself has lost stays lost.
                if (envelope.Sequence > after + 1 && envelope.Event is not LogRecovered && doubted != after)
                {
                    doubted = after;
                    break;
                }

                after = envelope.Sequence;
                attempts.Succeed();
                yield return envelope;
            }

            if (feed.IsOver)
            {
                yield break;
            }

            if (isOpen && options.Time.GetElapsedTime(openedAt) > s_long)
            {
                attempts.Succeed();
            }

            attempts.Longest = feed.Retry ?? attempts.Longest;
            if (!await attempts.WaitAsync(feed.RetryAfter, cancellationToken))
            {
                throw new DaemonLostException(feed.Failure);
            }
        }
    }

    internal async Task<SessionStatus> OpenAsync(OpenRequest request, CancellationToken cancellationToken) =>
        await _daemon.AskAsync(
            new DaemonRequest(HttpMethod.Post, "/v1/sessions", IsHarmless: request.Session is not null)
            {
                Body = JsonSerializer.SerializeToUtf8Bytes(request, ClientJson.Default.OpenRequest),
            },
            ProtocolJson.Default.SessionStatus,
            cancellationToken
        );

    internal async Task<SessionStatus> StatusAsync(SessionId session, CancellationToken cancellationToken) =>
        await _daemon.AskAsync(Question(PathOf(session)), ProtocolJson.Default.SessionStatus, cancellationToken);

    internal async Task<IReadOnlyList<SessionSummary>> ListAsync(int limit, CancellationToken cancellationToken) =>
        await _daemon.AskAsync(
            Question($"/v1/sessions?limit={limit}"),
            ProtocolJson.Default.IReadOnlyListSessionSummary,
            cancellationToken
        );

    internal async Task<BlobId> StoreAsync(
        SessionId session,
        ReadOnlyMemory<byte> content,
        CancellationToken cancellationToken
    ) =>
        (
            await _daemon.AskAsync(
                new DaemonRequest(HttpMethod.Post, $"{PathOf(session)}/blobs", IsHarmless: true)
                {
                    Body = content,
                    MediaType = "application/octet-stream",
                },
                ClientJson.Default.StoredBlob,
                cancellationToken
            )
        ).Blob;

    internal Task<byte[]> ReadBlobAsync(SessionId session, BlobId blob, CancellationToken cancellationToken) =>
        _daemon.AskAsync(
            Question($"{PathOf(session)}/blobs/{Uri.EscapeDataString(blob.Value)}") with
            {
                Accept = "*/*",
            },
            cancellationToken
        );

    private static DaemonRequest Question(string path) => new(HttpMethod.Get, path, IsHarmless: true);

    private static string PathOf(SessionId session) => $"/v1/sessions/{Uri.EscapeDataString(session.Value)}";
}
