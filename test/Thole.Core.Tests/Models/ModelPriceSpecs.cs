using Thole.Core.Models;
using Thole.Protocol;

namespace Thole.Core.Tests.Models;

public sealed class ModelPriceSpecs
{
    [Fact]
    public void What_a_cache_gave_and_what_it_took_have_their_own_prices_and_are_not_paid_twice()
    {
        var price = new ModelPrice(Input: 4, Output: 20, CachedInput: 0.2m, CacheWrite: 5);
        var usage = new Usage(InputTokens: 1_000_000, OutputTokens: 100_000, CachedTokens: 600_000, CacheWriteTokens: 300_000);

        Assert.Equal((0.1m * 4) + (0.6m * 0.2m) + (0.3m * 5) + (0.1m * 20), price.Of(usage));
        Assert.Equal(4 + 2, new ModelPrice(4, 20).Of(usage));
        Assert.Equal(0, price.Of(new Usage()));
    }
}
