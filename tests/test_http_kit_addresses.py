"""The HTTP kit talks to one address only: no redirect, name or spelling leads the token elsewhere."""

import random

import pytest

from connectors.kit import addresses
from connectors.kit.addresses import check_base
from governance.errors import ConfigurationError, UnexpectedAnswer
from tests.http_session import WHERE, ask, session
from tests.wild_server import WildServer, head, says

STATUSES = [301, 302, 303, 307, 308]
TRICKS = {
    "other port": "http://127.0.0.1:{thief}/x",
    "no scheme": "//127.0.0.1:{thief}/x",
    "host as a name": "http://127.0.0.1:{port}@127.0.0.1:{thief}/x",
    "name before the host": "http://ada:pw@127.0.0.1:{port}/x",
    "other scheme": "https://127.0.0.1:{port}/x",
    "other name of the host": "http://localhost:{port}/x",
    "backslash and at": "http://127.0.0.1:{thief}\\@127.0.0.1:{port}/x",
    "backslashes": "\\\\127.0.0.1:{thief}\\x",
    "slash and backslash": "http:/\\127.0.0.1:{thief}/x",
    "capitals": "HTTP://127.0.0.1:{thief}/x",
    "escaped slash": "http://127.0.0.1%2f@127.0.0.1:{thief}/x",
    "full-width digits": "http://\uff11\uff12\uff17.0.0.1:{thief}/x",
    "decimal address": "http://2130706433:{thief}/x",
    "blank inside": "http://127.0.0.1:{thief} /x",
    "other protocol": "file:///etc/passwd",
    "IPv6 of the same machine": "http://[::1]:{thief}/x",
}


class TestOneAddress:
    @pytest.mark.parametrize("status", STATUSES)
    @pytest.mark.parametrize("trick", TRICKS)
    def test_no_redirect_leads_the_token_elsewhere(self, trick, status):
        with WildServer(says([])) as thief:

            def lead_astray(sock, server):
                location = TRICKS[trick].format(port=server.port, thief=thief.port)
                sock.sendall(head(status, 0)[:-2] + f"Location: {location}\r\n\r\n".encode())

            error, server = ask(lead_astray)
            assert type(error) is UnexpectedAnswer, trick
            assert thief.connections == 0
            assert len(server.heads) == 1

    @pytest.mark.parametrize("status", STATUSES)
    def test_a_redirect_on_the_same_address_is_followed(self, status):
        answer, server = ask(says({}, status, Location="/scim/v2/People?x=1"), says([1]))
        assert answer.data == [1]
        assert server.paths() == ["/scim/v2/Users", "/scim/v2/People?x=1"]

    def test_circles_end(self):
        error, server = ask(says({}, 302, Location="/scim/v2/Users"))
        assert type(error) is UnexpectedAnswer
        assert len(server.heads) <= 5

    def test_a_change_is_never_redirected(self):
        with WildServer(says({}, 307, Location="/scim/v2/Users/2"), says({})) as server:
            with pytest.raises(UnexpectedAnswer, match="307"):
                session(server.url).send("PUT", "Users/1", {}, idempotent=True)
            assert len(server.heads) == 1

    def test_a_full_url_of_another_host_is_not_sent(self):
        with WildServer(says([])) as thief, WildServer(says([])) as server:
            with pytest.raises(UnexpectedAnswer, match="not sent"):
                session(server.url).get(thief.url)
            assert thief.connections == 0

    def test_cookies_are_not_kept(self):
        _, server = ask(says({}, 302, Location="/scim/v2/X", Set_Cookie="a=b; Path=/"), says([]))
        assert b"ookie" not in server.heads[1]

    def test_names_and_passwords_of_netrc_are_not_sent(self, tmp_path, monkeypatch):
        (tmp_path / "netrc").write_text("machine 127.0.0.1 login ada password hunter2\n")
        monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
        _, server = ask(says([]), token=None)
        assert b"Authorization" not in server.heads[0]

    def test_a_public_name_of_a_private_address_gets_nothing(self):
        # 127.1 is no IP address to look at, yet it resolves to one of this machine.
        with WildServer(says([])) as server:
            with pytest.raises(ConfigurationError, match="allow_private"):
                session(f"https://127.1:{server.port}/").get("Users")
            assert server.heads == []


class TestBaseAddress:
    @pytest.mark.parametrize(
        "url",
        [
            "http://example.com/scim/v2/",
            "ftp://example.com/",
            "https://ada:pw@example.com/",
            "https://ada@example.com/",
            "https://example.com@evil.example/",
            "https://10.0.0.8/",
            "https://192.168.1.4/scim",
            "https://169.254.169.254/latest/meta-data/",
            "https://[fd00::1]/",
            "https://[fe80::1%25eth0]/",
            "https://[::ffff:10.0.0.8]/",
            "https://100.64.0.1/",
            "https://0.0.0.0/",
            "https://2130706433/",
            "https://intranet/",
            "https://wiki.corp/",
            "https://wiki.internal/",
            "http://10.0.0.8/",
            "https://exämple.com/",
            "https://example.com/a b",
            "https://example.com\\@evil.example/",
            "https://example.com/?tenant=1",
            "https://example.com/#x",
            "https:///scim",
            "https://",
            "example.com/scim",
            "//example.com/",
            "javascript:alert(1)",
            "https://example.com:99999/",
            "https://example.com:port/",
            "https://exa\nmple.com/",
            "https://[::1/",
            "",
            None,
            5,
        ],
    )
    def test_these_are_refused_and_the_key_is_named(self, url):
        with pytest.raises(ConfigurationError, match=r"\[\[application\]\] wiki: base_url: "):
            check_base(url, WHERE)

    @pytest.mark.parametrize(
        ("url", "private"),
        [
            ("https://example.com/scim/v2", False),
            ("https://example.com:8443/", False),
            ("http://127.0.0.1:5080/", False),
            ("http://localhost:5080/scim", False),
            ("http://[::1]:80/", False),
            ("https://8.8.8.8/", False),
            ("https://10.0.0.8/", True),
            ("http://wiki.corp/", True),
            ("http://wiki/", True),
        ],
    )
    def test_these_are_allowed(self, url, private):
        address = check_base(url, WHERE, allow_private=private)
        assert address.url.endswith("/")
        assert address.join("/Users") == address.url + "Users"

    def test_a_password_in_the_address_is_not_repeated(self):
        with pytest.raises(ConfigurationError) as caught:
            check_base("https://ada:hunter2@example.com/", WHERE)
        assert "hunter2" not in str(caught.value)


PARTS = (
    *("http", "HTTP", ":", "/", "//", "?", "#", "@", "\\", "[", "]", "%2f", "a", "b.com", "H.com", "127.0.0.1", "::1"),
    *("80", "8080", "99999", "-1", "..", " ", "\n", "\x00", "\x7f", "\u0131", "&", "=", "~", "|", "x" * 300),
)


@pytest.mark.parametrize("seed", range(8))
def test_a_plain_address_is_found_where_two_parsers_of_all_of_it_agree(seed):
    dice = random.Random(seed)

    def found(parse, url):
        try:
            return parse(url)
        except ValueError as error:
            return type(error)

    plain = 0
    for _ in range(3_000):
        begin = dice.choice(("", "http://", "https://", "http://a.b", "https://h:443", "http://127.0.0.1:80/"))
        url = begin + "".join(dice.choice(PARTS) for _ in range(dice.randrange(8)))
        plain += addresses._PLAIN.fullmatch(url) is not None
        assert found(addresses.origin_of, url) == found(addresses._origin, url), url
    assert plain > 300
