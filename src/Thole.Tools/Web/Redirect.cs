namespace Thole.Tools.Web;

/// <summary>Where a page sends us on to, judged like an address that a model wrote.</summary>
internal static class Redirect
{
    public static Uri Resolve(Uri from, string location)
    {
        Uri target;
        if (location.StartsWith("//", StringComparison.Ordinal) || IsAbsolute(location))
        {
            // From its text, before Uri makes an odd notation look ordinary.
            target = PageAddress.Parse(location[0] == '/' ? $"{from.Scheme}:{location}" : location);
        }
        else
        {
            target = Uri.TryCreate(from, location, out var joined)
                ? PageAddress.Parse(joined.AbsoluteUri)
                : throw PageAddress.Refused(location, "the page redirects to what is no address");
        }

        return from.Scheme is "https" && target.Scheme is "http"
            ? throw PageAddress.Refused(location, "the page redirects from https to http")
            : target;
    }

    public static bool IsSameSite(Uri from, Uri to) => string.Equals(Site(from), Site(to), StringComparison.Ordinal);

    private static string Site(Uri address) =>
        address.Host.StartsWith("www.", StringComparison.Ordinal) ? address.Host[4..] : address.Host;

    // A scheme is what stands before the first colon, unless a path, query or fragment began before it.
    private static bool IsAbsolute(string location)
    {
        var end = location.AsSpan().IndexOfAny(":/?#");
        return end > 0 && location[end] == ':';
    }
}
