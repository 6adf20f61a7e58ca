using System.Threading.Channels;
using Thole.Protocol;

namespace Thole.Core.Sessions;

/// <summary>
/// Letters to a session, read by one reader in the order in which they came. Letters that wait together are committed together:
/// one flush for all of them. A commit that fails closes the mailbox for good.
/// </summary>
internal sealed class Mailbox(Func<IReadOnlyList<Letter>, Task> commitAsync, Action<RefusedException> breaks)
{
    private const int LettersPerBatch = 64;

    // Full means that the disk is slower than everybody who writes: they wait.
    private readonly Channel<Letter> _letters = Channel.CreateBounded<Letter>(
        new BoundedChannelOptions(256) { SingleReader = true, FullMode = BoundedChannelFullMode.Wait }
    );

    /// <summary>Returns when the letter's consequences are in the log.</summary>
    public async ValueTask<Receipt> PostAsync(Letter letter)
    {
        try
        {
            await _letters.Writer.WriteAsync(letter);
        }
        catch (ChannelClosedException)
        {
            throw Closed();
        }

        return await letter.Handled.Task;
    }

    /// <summary>
    /// As <see cref="PostAsync"/>, for the letter that closes: where somebody else closes already, or the log could not be written, there is
    /// nothing left to ask for, and the turn was told then.
    /// </summary>
    public async ValueTask PostLastAsync(CloseLetter letter)
    {
        try
        {
            await PostAsync(letter);
        }
        catch (RefusedException) { }
    }

    public static RefusedException Closed() =>
        new("session_closed", "The session is closed, or its log can no longer be written.");

    public void Close() => _letters.Writer.TryComplete();

    /// <summary>Ends when the mailbox is closed and empty, or a commit failed.</summary>
    public async Task ReadAsync()
    {
        List<Letter> batch = [];
        while (await _letters.Reader.WaitToReadAsync())
        {
            batch.Clear();
            while (batch.Count < LettersPerBatch && _letters.Reader.TryRead(out var letter))
            {
                batch.Add(letter);
            }

            try
            {
                await commitAsync(batch);
            }
            catch (Exception exception)
            {
                // The log could not be written. A session that cannot remember must not go on: nothing of this batch is
                // acknowledged, and whoever waits or comes later is told.
                var broken = new RefusedException("session_unwritable", exception.Message, exception);
                Close();
                breaks(broken); // first: whoever is told finds it so
                batch.ForEach(letter => letter.Handled.TrySetException(broken));
                while (_letters.Reader.TryRead(out var waiting))
                {
                    waiting.Handled.TrySetException(broken);
                }

                return;
            }
        }
    }
}
