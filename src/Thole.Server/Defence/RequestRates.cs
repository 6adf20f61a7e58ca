using System.Collections.Concurrent;
using Microsoft.AspNetCore.Http;
using Thole.Protocol;

namespace Thole.Server.Defence;

/// <summary>How often one identity may ask: a bucket for each tier, full after a minute of rest.</summary>
internal sealed class RequestRates(RateLimits limits, TimeProvider time)
{
    // As many as there are tokens, and three tiers: small without anybody sweeping.
    private readonly ConcurrentDictionary<(string Name, RateTier Tier), Bucket> _buckets = new();

    public void Take(HttpContext context, Identity identity, RateTier tier)
    {
        var limit = tier switch
        {
            RateTier.Prompt => limits.Prompt,
            RateTier.Mutation => limits.Mutation,
            RateTier.Read => limits.Read,
            _ => 0,
        };
        if (limit == 0)
        {
            return;
        }

        var now = time.GetTimestamp();
        var bucket = _buckets.GetOrAdd(
            (identity.Name, tier),
            static (_, start) => new Bucket(start.limit, start.now),
            (limit, now)
        );
        var (left, wait) = bucket.Take(limit, now, time);
        var headers = context.Response.Headers;
        headers["X-RateLimit-Limit"] = limit.ToString();
        headers["X-RateLimit-Remaining"] = left.ToString();
        headers["X-RateLimit-Reset"] = Math.Ceiling((limit - left) * 60.0 / limit).ToString();
        if (wait is { } until)
        {
            throw new ProblemException(
                429,
                "rate_limit_exceeded",
                "Too many requests; wait as long as Retry-After says.",
                ("tier", tier.ToString().ToLowerInvariant()),
                ("retryAfterMs", (long)Math.Ceiling(until.TotalMilliseconds))
            )
            {
                RetryAfter = until,
            };
        }
    }

    private sealed class Bucket(double content, long at)
    {
        private readonly Lock _lock = new();
        private double _content = content;
        private long _at = at;

        public (int Left, TimeSpan? Wait) Take(int limit, long now, TimeProvider time)
        {
            lock (_lock)
            {
                var gained = time.GetElapsedTime(_at, Math.Max(now, _at)).TotalMinutes * limit;
                (_content, _at) = (Math.Min(limit, _content + gained), Math.Max(now, _at));
                if (_content < 1)
                {
                    return (0, TimeSpan.FromMinutes((1 - _content) / limit));
                }

                _content--;
                return ((int)_content, null);
            }
        }
    }
}
