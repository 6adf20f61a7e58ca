using System.Net;
using Thole.Core.Workspaces;
using Thole.Tools.Web;

namespace Thole.Tools.Tests.Web;

public sealed class PageAddressSpecs
{
    [Theory]
    [InlineData("https://example.com", "https://example.com/")]
    [InlineData("HTTP://Example.COM:80/a?b=c#d", "http://example.com/a?b=c")]
    [InlineData("https://example.com.:8443/", "https://example.com:8443/")]
    [InlineData("https://93.184.216.34/x", "https://93.184.216.34/x")]
    [InlineData("https://[2606:2800:220:1:248:1893:25c8:1946]/", "https://[2606:2800:220:1:248:1893:25c8:1946]/")]
    [InlineData("https://example.com/ä%20b", "https://example.com/%C3%A4%20b")]
    [InlineData("https://p\u0430ypal.com/", "https://xn--pypal-4ve.com/")]
    [InlineData("https://münchen.de/", "https://xn--mnchen-3ya.de/")]
    public void An_address_is_brought_into_one_form(string text, string address) =>
        Assert.Equal(address, PageAddress.Parse(text).AbsoluteUri);

    [Theory]
    [InlineData("http://user:secret@example.com/")]
    [InlineData("http://example.com@127.0.0.1/")]
    [InlineData("http://example.com\\@127.0.0.1/")]
    [InlineData("http://127%2e0%2e0%2e1/")]
    [InlineData("http://2130706433/")]
    [InlineData("http://1572395042/")]
    [InlineData("http://0x5db8d822/")]
    [InlineData("http://0135.0270.0330.042/")]
    [InlineData("http://93.12113954/")]
    [InlineData("http://１２７.0.0.1/")]
    [InlineData("http://127。0。0。1/")]
    [InlineData("http://[fe80::1%25eth0]/")]
    [InlineData("http://[::ffff:8.8.8.8]/")]
    [InlineData("http://intranet/")]
    [InlineData("http://printer.local/")]
    [InlineData("http://sub.localhost/")]
    [InlineData("http://example.com:22/")]
    [InlineData("http://example.com:6379/")]
    [InlineData("http://example.com:0/")]
    [InlineData("http://example.com:99999/")]
    [InlineData("http://exa mple.com/")]
    [InlineData("http://example.com/\r\nX-Evil: 1")]
    [InlineData("http://example.com/\t")]
    [InlineData("ftp://example.com/")]
    [InlineData("javascript:alert(1)")]
    [InlineData("//example.com/")]
    [InlineData("example.com")]
    [InlineData("http://")]
    [InlineData("http://.../")]
    [InlineData("")]
    public void What_is_not_plainly_public_is_refused(string text) =>
        Assert.StartsWith("'", Assert.Throws<WorkspaceException>(() => PageAddress.Parse(text)).Message);

    [Fact]
    public void No_text_makes_it_throw_anything_else()
    {
        var random = new Random(5);
        const string Splinters = "abc.-_:/?#[]@%0xn-1\u00e9\u0430\u2460\uff0e\ud800\u200d ";
        for (var round = 0; round < 20_000; round++)
        {
            var text =
                "https://"
                + string.Concat(Enumerable.Range(0, random.Next(20)).Select(_ => Splinters[random.Next(Splinters.Length)]));
            try
            {
                Assert.DoesNotContain(PageAddress.Parse(text).AbsoluteUri, static c => c is <= ' ' or > '~');
            }
            catch (WorkspaceException refused)
            {
                Assert.Equal("web_fetch_refused", refused.Error);
            }
        }
    }

    [Theory]
    [InlineData("0.1.2.3")]
    [InlineData("10.0.0.1")]
    [InlineData("100.64.0.1")]
    [InlineData("127.255.255.254")]
    [InlineData("168.63.129.16")]
    [InlineData("169.254.169.254")]
    [InlineData("172.31.255.255")]
    [InlineData("192.0.0.192")]
    [InlineData("192.0.2.1")]
    [InlineData("192.88.99.1")]
    [InlineData("192.168.0.1")]
    [InlineData("198.19.0.1")]
    [InlineData("198.51.100.1")]
    [InlineData("203.0.113.1")]
    [InlineData("224.0.0.1")]
    [InlineData("255.255.255.255")]
    [InlineData("::")]
    [InlineData("::1")]
    [InlineData("::ffff:8.8.8.8")]
    [InlineData("::8.8.8.8")]
    [InlineData("64:ff9b::808:808")]
    [InlineData("64:ff9b:1::1")]
    [InlineData("100::1")]
    [InlineData("2001::1")]
    [InlineData("2001:db8::1")]
    [InlineData("2002:7f00:1::")]
    [InlineData("3fff::1")]
    [InlineData("5f00::1")]
    [InlineData("fc00::1")]
    [InlineData("fd00:ec2::254")]
    [InlineData("fe80::1")]
    [InlineData("fec0::1")]
    [InlineData("ff02::1")]
    [InlineData("2606:4700::5efe:7f00:1")]
    [InlineData("2606:4700::200:5efe:7f00:1")]
    public void An_address_of_this_machine_or_network_is_not_public(string address) =>
        Assert.False(PublicAddresses.Contains(IPAddress.Parse(address)));

    [Theory]
    [InlineData("1.1.1.1")]
    [InlineData("8.8.8.8")]
    [InlineData("100.63.255.255")]
    [InlineData("172.32.0.1")]
    [InlineData("192.0.1.1")]
    [InlineData("223.255.255.255")]
    [InlineData("2001:4860:4860::8888")]
    [InlineData("2606:4700:4700::1111")]
    public void An_address_of_the_internet_is_public(string address) =>
        Assert.True(PublicAddresses.Contains(IPAddress.Parse(address)));
}
