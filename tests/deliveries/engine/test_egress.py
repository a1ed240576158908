"""Which URLs and addresses may be called: tables of the forms that have fooled other senders."""

from __future__ import annotations

import pytest

from deliveries.engine.egress import Policy, Refused, Target

PUBLIC = Policy.parse(["443", "80"], False, [], "")
DEVELOPMENT = Policy.parse(["443", "80"], False, ["127.0.0.0/8", "::1/128"], "")
ANYTHING = Policy.parse(["*"], True, [], "")

OPEN = [
    "8.8.8.8",
    "93.184.215.14",
    "172.32.0.1",
    "100.128.0.1",
    "2606:2800:220:1::1",
    "2001:4860:4860::8888",
    "2a00::1",
]
CLOSED = [
    *["0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "127.0.0.1", "127.255.255.254", "169.254.1.1", "172.16.0.1"],
    *["172.31.255.255", "192.0.0.8", "192.0.2.1", "192.31.196.1", "192.52.193.1", "192.88.99.1", "192.168.1.1"],
    *["192.175.48.1", "198.18.0.1", "198.19.255.255", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.1.1.1"],
    *["240.0.0.1", "255.255.255.255"],
    # the clouds' metadata
    *["169.254.169.254", "169.254.170.2", "100.100.100.200", "192.0.0.192", "168.63.129.16"],
    *["::", "::1", "::ffff:127.0.0.1", "::ffff:7f00:1", "::ffff:8.8.8.8", "::127.0.0.1", "::7f00:1"],
    *["::ffff:0:127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::808:808", "64:ff9b:1::7f00:1", "100::1", "2002:7f00:1::"],
    *["2002:a00:1::", "2001::1", "2001:0:53aa:64c::1", "2001:db8::1", "2001:10::1", "2001:20::1", "2620:4f:8000::1"],
    *["3fff::1", "4000::1", "5f00::1", "fc00::1", "fd00:ec2::254", "fd20:ce::254", "fe80::1", "fe80::1%eth0"],
    *["fec0::1", "ff02::1", "fe80::5efe:7f00:1", "2a00::5efe:7f00:1", "2a00::200:5efe:7f00:1"],
    *["", "localhost", "2130706433", "127.1", "0177.0.0.1", "/run/socket"],
]


@pytest.mark.parametrize("address", OPEN)
def test_public_addresses_may_be_dialled(address: str) -> None:
    assert PUBLIC.refusal(address, 443) is None


@pytest.mark.parametrize("address", CLOSED)
def test_other_addresses_may_not_be_dialled(address: str) -> None:
    assert PUBLIC.refusal(address, 443) == ("This address may not be called: webhooks go to public addresses only.")


@pytest.mark.parametrize("address", [address for address in OPEN + CLOSED if "." in address or ":" in address])
def test_a_literal_in_a_url_is_judged_like_the_address(address: str) -> None:
    host = f"[{address}]" if ":" in address else address
    if address in OPEN:
        assert PUBLIC.check_url(f"https://{host}/x").address == address
    else:
        with pytest.raises(Refused):
            PUBLIC.check_url(f"https://{host}/x")


@pytest.mark.parametrize(
    "host",
    [
        *["2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "127.1", "127.0.1", "0", "0x", "00.0.0.0", "127.0.0.1."],
        *[
            "008.8.8.8",
            "8.8.8.08",
            "8.8.8.256",
            "256.8.8.8",
            "8.8.8",
            "8.8.8.8.8",
            "8.8.8.0x8",
            "8.8.8.8.",
            "134744072",
        ],
        *["0x08080808", "1.2.3.4.5", "example.1", "example.0x1"],
    ],
)
def test_odd_forms_of_ipv4_are_refused_even_if_public(host: str) -> None:
    with pytest.raises(Refused):
        ANYTHING.check_url(f"http://{host}/")


@pytest.mark.parametrize(
    ("host", "code"),
    [
        *[("localhost", "name"), ("localhost.", "name"), ("foo.localhost", "name"), ("LOCALHOST", "name")],
        *[("printer.local", "name"), ("db.internal", "name"), ("api.default.svc.cluster.local", "name")],
        *[("metadata.google.internal", "name"), ("metadata", "name"), ("instance-data", "name"), ("intranet", "name")],
        *[("metadata.google.internal.", "name"), ("router.lan", "name"), ("nas.home.arpa", "name")],
        *[("example.com.", "host"), ("exa mple.com", "malformed"), ("example..com", "host"), (".example.com", "host")],
        *[("-a.example.com", "host"), ("a" * 64 + ".com", "host"), (("a" * 60 + ".") * 5 + "com", "host")],
        *[("example.com%2eevil.com", "host"), ("%31%32%37.0.0.1", "host"), ("ex$ample.com", "host")],
        *[("127。0。0。1", "host"), ("１２７.0.0.1", "host"), ("８.８.８.８", "host"), ("ｅxample.com", "host")],
        *[("ⓛocalhost", "host"), ("ｌocalhost", "host"), ("localhоst", "name"), ("метаdata", "name")],
        *[("exam\u00adple.com", "host"), ("[::1", "host"), ("::1", "host"), ("[fe80::1%25eth0]", "host")],
        *[("[::1%eth0]", "host"), ("[127.0.0.1]", "host"), ("[]", "host"), ("", "host"), (":443", "host")],
    ],
)
def test_names_that_mean_something_inside_or_nothing_are_refused(host: str, code: str) -> None:
    with pytest.raises(Refused) as caught:
        ANYTHING.check_url(f"http://{host}/")
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("https://user@example.com/", "userinfo"),
        ("https://user:password@example.com/", "userinfo"),
        ("https://example.com@127.0.0.1/", "userinfo"),
        ("https://example.com\\@127.0.0.1/", "malformed"),
        ("https:\\\\example.com/", "malformed"),
        ("https://example.com/#fragment", "fragment"),
        ("https://example.com#@127.0.0.1/", "fragment"),
        ("https://exam\tple.com/", "malformed"),
        ("https://example.com/\r\nHost: x", "malformed"),
        ("https://example.com/\n", "malformed"),
        ("https://example.com/\0", "malformed"),
        (" https://example.com/", "malformed"),
        ("https://example.com/\u2028", "malformed"),
        ("https://example.com/" + "x" * 2048, "malformed"),
        ("https:/example.com", "malformed"),
        ("https:example.com", "malformed"),
        ("//example.com", "malformed"),
        ("example.com", "malformed"),
        ("", "malformed"),
        ("https://", "host"),
        ("https:///path", "host"),
        ("https://?query", "host"),
        ("http://example.com/", "scheme"),
        ("ftp://example.com/", "scheme"),
        ("file:///etc/passwd", "scheme"),
        ("gopher://example.com/", "scheme"),
        ("https://example.com:0/", "host"),
        ("https://example.com:65536/", "host"),
        ("https://example.com:99999999/", "host"),
        ("https://example.com:/", "host"),
        ("https://example.com:0443/", "host"),
        ("https://example.com:443:443/", "host"),
        ("https://example.com:+443/", "host"),
        ("https://example.com:４４３/", "host"),
        ("https://example.com:22/", "port"),
        ("https://example.com:25/", "port"),
        ("https://example.com:6379/", "port"),
        ("https://8.8.8.8:22/", "port"),
    ],
)
def test_urls_that_two_parsers_could_read_differently_are_refused(url: str, code: str) -> None:
    with pytest.raises(Refused) as caught:
        PUBLIC.check_url(url)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("https://example.com", Target("https", "example.com", 443, None)),
        ("HTTPS://Example.COM/Path?a=b@c", Target("https", "example.com", 443, None)),
        ("https://example.com:80?q", Target("https", "example.com", 80, None)),
        ("https://8.8.8.8/", Target("https", "8.8.8.8", 443, "8.8.8.8")),
        ("https://[2606:2800:0220:1::0001]/", Target("https", "2606:2800:220:1::1", 443, "2606:2800:220:1::1")),
        ("https://BÜCHER.example/", Target("https", "xn--bcher-kva.example", 443, None)),
        ("https://127.0.0.1.nip.io/", Target("https", "127.0.0.1.nip.io", 443, None)),  # judged when resolved
        ("https://a_b.example.com/", Target("https", "a_b.example.com", 443, None)),
        ("https://example.com/%23%0d%0a", Target("https", "example.com", 443, None)),
    ],
)
def test_plain_urls_are_read(url: str, target: Target) -> None:
    assert PUBLIC.check_url(url) == target


@pytest.mark.parametrize(
    "url", ["http://localhost:8000/x", "http://127.0.0.1:9/x", "http://[::1]:8080/", "https://localhost/"]
)
def test_development_opens_loopback_by_its_networks_alone(url: str) -> None:
    assert DEVELOPMENT.check_url(url).host in ("localhost", "127.0.0.1", "::1")


@pytest.mark.parametrize(
    "url",
    [
        "http://10.0.0.1/",
        "https://[::ffff:127.0.0.1]/",
        "http://foo.localhost/",
        "http://example.com/",
        "https://db.local/",
    ],
)
def test_open_loopback_opens_nothing_else(url: str) -> None:
    with pytest.raises(Refused):
        DEVELOPMENT.check_url(url)


def test_an_allowed_private_network_keeps_the_rules_for_ports_and_http() -> None:
    policy = Policy.parse(["443"], False, ["10.1.0.0/16"], "")
    assert policy.refusal("10.1.2.3", 443) is None
    assert policy.refusal("10.1.2.3", 6379) is not None
    assert policy.refusal("10.2.0.1", 443) is not None
    with pytest.raises(Refused, match="https"):
        policy.check_url("http://10.1.2.3:443/")


def test_any_port_may_be_allowed() -> None:
    assert ANYTHING.check_url("http://example.com:8125/").port == 8125


@pytest.mark.parametrize(
    ("prefix", "inside", "outside"),
    [
        ("2a00:64::/96", "2a00:64::808:808", "2a00:64::a00:1"),
        ("2a00:64::/64", "2a00:64::8:808:800:0", "2a00:64::a:0:100:0"),
        ("2a00:64::/48", "2a00:64:0:808:8:800::", "2a00:64:0:a00:0:100::"),
        ("2a00:64::/32", "2a00:64:808:808::", "2a00:64:a00:1::"),
    ],
)
def test_a_site_nat64_address_is_judged_by_the_ipv4_address_it_carries(prefix: str, inside: str, outside: str) -> None:
    policy = Policy.parse(["443"], False, [], prefix)
    assert policy.refusal(inside, 443) is None
    assert policy.refusal(outside, 443) is not None


@pytest.mark.parametrize("prefix", ["2a00:64::/95", "2a00:64::1/96", "10.0.0.0/8", "x"])
def test_a_prefix_that_is_none_is_an_error(prefix: str) -> None:
    with pytest.raises(ValueError, match="."):
        Policy.parse(["443"], False, [], prefix)
