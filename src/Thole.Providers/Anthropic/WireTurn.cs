using Thole.Core.Models;
using Thole.Protocol;
using Thole.Providers.Endpoints;

namespace Thole.Providers.Anthropic;

/// <summary>A message of the request: here the user and the model take turns, and what follows each other on one side is one message.</summary>
internal abstract record WireTurn
{
    public abstract string Role { get; }

    /// <param name="model">Who is asked: only to it go its own thoughts.</param>
    public static List<WireTurn> Arrange(IReadOnlyList<ContextItem> items, string model)
    {
        List<WireTurn> turns = [];
        foreach (var passage in Passage.Arrange(items, TakesId))
        {
            switch (passage)
            {
                // Whoever said nothing that can be sent is not heard at all: an empty message is refused.
                case AskedPassage asked when MessageLayout.Read(asked.Item, asked.Item.Model == model) is [_, ..] parts:
                    Last<AskedTurn>(turns).Messages.Add((asked, parts));
                    break;
                case UserPassage user:
                    Last<UserTurn>(turns).Add(user.Content);
                    break;
                case ResultsPassage answered:
                    Last<UserTurn>(turns).Results.AddRange(answered.Results);
                    break;
            }
        }

        return turns;
    }

    /// <summary>Whether the model is in the middle of a turn which it began without a thought: under another model, or not asked to think.</summary>
    public static bool RunsWithoutThought(List<WireTurn> turns)
    {
        var prompt = turns.FindLastIndex(static turn => turn is UserTurn { Results: [] });
        return prompt + 1 < turns.Count
            && turns[prompt + 1] is AskedTurn { Messages: [(_, [var first, ..]), ..] }
            && !first.IsThought;
    }

    private static T Last<T>(List<WireTurn> turns)
        where T : WireTurn, new()
    {
        if (turns is not [.., T])
        {
            turns.Add(new T());
        }

        return (T)turns[^1];
    }

    private static bool TakesId(string id) => id.All(static letter => char.IsAsciiLetterOrDigit(letter) || letter is '_' or '-');
}

/// <summary>The user, or the runtime in the user's place.</summary>
internal sealed record UserTurn : WireTurn
{
    private readonly List<Content> _content = [];

    public override string Role => "user";

    /// <summary>Come first: the endpoint looks for them right after the calls.</summary>
    public List<AnsweredCall> Results { get; } = [];

    public IReadOnlyList<Content> Content => _content is [] && Results is [] ? s_nothing : _content;

    public void Add(IReadOnlyList<Content> content) =>
        _content.AddRange(content.Where(static piece => piece is MediaContent || !string.IsNullOrWhiteSpace(WireText.Of(piece))));

    // Text without a letter is refused, and so is a message without content.
    private static readonly Content[] s_nothing = [new TextContent("(nothing)")];
}

/// <summary>The model.</summary>
internal sealed record AskedTurn : WireTurn
{
    public override string Role => "assistant";

    public List<(AskedPassage Passage, List<MessagePart> Parts)> Messages { get; } = [];
}
