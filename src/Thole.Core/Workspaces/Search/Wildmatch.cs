namespace Thole.Core.Workspaces.Search;

/// <summary>
/// One shell pattern over a path, by the rules of git's wildmatch: bytes, not characters, because git's <c>?</c> is one byte.
/// A pattern is compiled once; a match costs at most text times pattern, whatever a hostile repository writes.
/// </summary>
internal sealed class Wildmatch
{
    private readonly Token[] _tokens;
    private readonly bool _ignoreCase;
    private readonly int _shortest;
    private readonly byte[] _suffix;

    private Wildmatch(Token[] tokens, bool ignoreCase)
    {
        _tokens = tokens;
        _ignoreCase = ignoreCase;
        _shortest = tokens.Count(static token => token.Kind is TokenKind.Byte or TokenKind.Any or TokenKind.Set);
        _suffix =
        [
            .. tokens
                .Reverse()
                .TakeWhile(static token => token.Kind is TokenKind.Byte)
                .Reverse()
                .Select(static token => token.Byte),
        ];
    }

    /// <returns>Null where the pattern can match nothing: a bracket that does not close, an unknown class, a lone backslash at its end.</returns>
    public static Wildmatch? Compile(ReadOnlySpan<byte> pattern, bool ignoreCase)
    {
        var tokens = new List<Token>(pattern.Length);
        for (var at = 0; at < pattern.Length; at++)
        {
            switch (pattern[at])
            {
                case (byte)'*':
                    at = AddStars(tokens, pattern, at);
                    break;
                case (byte)'?':
                    tokens.Add(new Token(TokenKind.Any));
                    break;
                case (byte)'[':
                    if (ByteSet.Parse(pattern, ref at, ignoreCase) is not { } set)
                    {
                        return null;
                    }

                    tokens.Add(new Token(TokenKind.Set, Set: set));
                    break;
                case (byte)'\\':
                    if (++at == pattern.Length)
                    {
                        return null;
                    }

                    // git folds the text but not an escaped byte: \F matches nothing where case is ignored. To the letter means this too.
                    tokens.Add(new Token(TokenKind.Byte, pattern[at]));
                    break;
                default:
                    tokens.Add(new Token(TokenKind.Byte, ignoreCase ? Fold(pattern[at]) : pattern[at]));
                    break;
            }
        }

        return new Wildmatch([.. tokens], ignoreCase);
    }

    /// <summary>
    /// Only the newest <c>*</c> and the newest <c>**/</c> need to be tried again: what stands before a slash cannot change what
    /// follows it, and a later start of a <c>**/</c> reaches nothing that an earlier one does not.
    /// </summary>
    public bool IsMatch(ReadOnlySpan<byte> text)
    {
        if (text.Length < _shortest || (!_ignoreCase && !text.EndsWith(_suffix)))
        {
            return false;
        }

        int token = 0,
            at = 0;
        int star = -1,
            starAt = 0;
        int folders = -1,
            foldersAt = 0;
        while (true)
        {
            if (token == _tokens.Length)
            {
                if (at == text.Length)
                {
                    return true;
                }
            }
            else
            {
                switch (_tokens[token].Kind)
                {
                    case TokenKind.Everything:
                        return true;
                    case TokenKind.Folders:
                        (folders, foldersAt, star) = (++token, at, -1);
                        continue;
                    case TokenKind.FoldersAndSlash:
                        (folders, foldersAt, star) = (token + 1, at, -1);
                        break;
                    case TokenKind.Star:
                        (star, starAt) = (++token, at);
                        continue;
                    default:
                        if (at < text.Length && _tokens[token].Matches(_ignoreCase ? Fold(text[at]) : text[at]))
                        {
                            token++;
                            at++;
                            continue;
                        }

                        break;
                }
            }

            if (star >= 0 && starAt < text.Length && text[starAt] != '/')
            {
                (token, at) = (star, ++starAt);
            }
            else if (folders >= 0 && text[foldersAt..].IndexOf((byte)'/') is >= 0 and var slash)
            {
                foldersAt += slash + 1;
                (token, at, star) = (folders, foldersAt, -1);
            }
            else
            {
                return false;
            }
        }
    }

    internal static byte Fold(byte value) => value is >= (byte)'A' and <= (byte)'Z' ? (byte)(value | 0x20) : value;

    private static int AddStars(List<Token> tokens, ReadOnlySpan<byte> pattern, int first)
    {
        var next = first;
        while (next < pattern.Length && pattern[next] == '*')
        {
            next++;
        }

        var rest = pattern[next..];
        var isFolders =
            next - first > 1
            && (first == 0 || pattern[first - 1] == '/')
            && (rest is [] or [(byte)'/', ..] || rest is [(byte)'\\', (byte)'/', ..]);
        if (!isFolders)
        {
            tokens.Add(new Token(TokenKind.Star));
            return next - 1;
        }

        switch (rest)
        {
            case []:
                tokens.Add(new Token(TokenKind.Everything));
                return next - 1;
            case [(byte)'/', ..]:
                tokens.Add(new Token(TokenKind.Folders));
                return next;
            default:
                tokens.Add(new Token(TokenKind.FoldersAndSlash));
                return next + 1;
        }
    }

    private enum TokenKind : byte
    {
        Byte,
        Any,
        Set,

        /// <summary><c>*</c>: anything but a slash.</summary>
        Star,

        /// <summary><c>**/</c>: nothing, or any folders.</summary>
        Folders,

        /// <summary><c>**\/</c>: any folders, at least one slash, because git looks for the bare slash only.</summary>
        FoldersAndSlash,

        /// <summary><c>**</c> at the end.</summary>
        Everything,
    }

    private readonly record struct Token(TokenKind Kind, byte Byte = 0, ByteSet? Set = null)
    {
        public bool Matches(byte value) =>
            Kind switch
            {
                TokenKind.Byte => value == Byte,
                TokenKind.Any => value != '/',
                _ => value != '/' && Set!.Contains(value),
            };
    }
}
