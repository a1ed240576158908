"""The settings: what production must set, and what it is told when it does not."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from deliveries.engine import egress
from dotfile_hooks import environment

CHECKOUT = Path(__file__).resolve().parents[1]
SMTP = "deliveries.mailing.EmailBackend"
PRODUCTION = {
    "SECRET_KEY": "a-long-random-value-that-only-this-test-knows-0123456789-abcdefghij",
    "ALLOWED_HOSTS": "hooks.example.com",
    "DATABASE_URL": "postgres://hooks:secret@db.example.com/hooks",
    "REDIS_URL": "redis://redis.example.com:6379/0",
    "ENCRYPTION_KEYS": "ZGV2ZWxvcG1lbnQtb25seS1ub3QtYS1zZWNyZXQtISE=",
}


def check(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """`manage.py check` in an environment of its own."""
    return subprocess.run(
        [sys.executable, "manage.py", "check", *arguments],
        cwd=CHECKOUT,
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
    )


def test_production_settings_pass_djangos_deployment_check_without_a_warning() -> None:
    done = check(PRODUCTION, "--deploy", "--fail-level", "WARNING")
    assert (done.returncode, done.stdout) == (0, "System check identified no issues (0 silenced).\n"), done.stderr


@pytest.mark.parametrize("name", PRODUCTION)
def test_a_missing_setting_stops_the_start_with_a_sentence_that_names_it(name: str) -> None:
    done = check({key: value for key, value in PRODUCTION.items() if key != name})
    assert done.returncode != 0
    assert f"ImproperlyConfigured: Set {name} " in done.stderr.strip().splitlines()[-1]


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("DEBUG", "perhaps", "DEBUG must be true or false"),
        ("SECRET_KEY", "", "SECRET_KEY is empty or too short"),
        ("SECRET_KEY", "short", "SECRET_KEY is empty or too short"),
        ("ENCRYPTION_KEYS", "no-fernet-key", "ENCRYPTION_KEYS must hold Fernet keys"),
        ("ENCRYPTION_KEYS", " , ", "ENCRYPTION_KEYS is empty"),
        ("DATABASE_URL", "mysql://root@localhost/hooks", "DATABASE_URL must begin with postgres://"),
        ("DATABASE_URL", "postgres://me:secret@host:port/hooks", "DATABASE_URL must look like postgres://"),
        ("DATABASE_URL", "postgres://me@host", "DATABASE_URL must look like postgres://"),
        ("NEXT_REVIEW_DAYS", "low", "NEXT_REVIEW_DAYS must be days by word"),
        ("NEXT_REVIEW_DAYS", "lowest:365", "for any of not_defined, low, medium"),
        ("NEXT_REVIEW_DAYS", "low:0", "NEXT_REVIEW_DAYS must be days by word"),
        ("REDIS_URL", "localhost:6379", "REDIS_URL must begin with redis://"),
        ("DATABASE_CONNECT_TIMEOUT", "soon", "DATABASE_CONNECT_TIMEOUT must be a whole number of at least 1"),
        ("WAKE_TIMEOUT", "-1", "WAKE_TIMEOUT must be a number of at least 0"),
        ("WAKE_TIMEOUT", "nan", "WAKE_TIMEOUT must be a number of at least 0"),
        ("EGRESS_PORTS", "443,https", "EGRESS_PORTS must be * or comma-separated ports"),
        ("EGRESS_PORTS", ",", "EGRESS_PORTS must be * or comma-separated ports"),
        ("EGRESS_PORTS", "²", "EGRESS_PORTS must be * or comma-separated ports"),
        ("EGRESS_ALLOWED_NETWORKS", "10.0.0.1/8", "EGRESS_ALLOWED_NETWORKS must be comma-separated CIDR blocks"),
        ("EGRESS_NAT64_PREFIX", "10.0.0.0/8", "EGRESS_NAT64_PREFIX must be an IPv6 network"),
        ("EGRESS_NAT64_PREFIX", "2001:db8::/97", "EGRESS_NAT64_PREFIX must be an IPv6 network"),
        ("EGRESS_DNS_SERVERS", "dns.example.com", "EGRESS_DNS_SERVERS must be comma-separated IP addresses"),
        ("EGRESS_DNS_SERVERS", "8.8.8.8:abc", "EGRESS_DNS_SERVERS must be comma-separated IP addresses"),
        ("EGRESS_DNS_SERVERS", "[::1]:99999", "EGRESS_DNS_SERVERS must be comma-separated IP addresses"),
        ("REDIS_URL", "redis://redis:port/0", "REDIS_URL must look like redis://"),
        ("REDIS_URL", "redis://redis:70000/0", "REDIS_URL must look like redis://"),
        ("REDIS_URL", "redis://redis:6379/main", "REDIS_URL must look like redis://"),
        ("REDIS_URL", "redis://", "REDIS_URL must look like redis://"),
        ("REDIS_URL", "unix:///run/redis.sock?db=main", "REDIS_URL must look like redis://"),
        ("REDIS_URL", "unix:///run/redis.sock", "Set BROKER_URL to redis+socket:///path"),
        ("BROKER_URL", "rabbit.example.com", "BROKER_URL must begin with redis://"),
        ("BROKER_URL", "kafka://kafka.example.com", "BROKER_URL must begin with redis://"),
        ("BROKER_URL", "amqp://rabbit:port//", "BROKER_URL must look like redis://"),
        ("BROKER_URL", "redis://redis:6379/main", "BROKER_URL must look like redis://"),
        ("BROKER_URL", "sentinel://one:26379;two:26379", "BROKER_URL must begin with redis://"),
        ("EMAIL_URL", "mail.example.com", "EMAIL_URL must look like smtp+tls://"),
        ("EMAIL_URL", "smtp://mail:port", "EMAIL_URL must look like smtp+tls://"),
        ("EMAIL_URL", "smtp://mail/inbox", "EMAIL_URL must look like smtp+tls://"),
        ("EMAIL_URL", "imap://mail", "EMAIL_URL must look like smtp+tls://"),
        ("EMAIL_TIMEOUT", "0", "EMAIL_TIMEOUT must be a number of at least 0.1"),
        ("EMAIL_FROM", "hooks", "EMAIL_FROM must be an e-mail address"),
        ("EMAIL_FROM", "hooks@example.com\nBcc: me@example.com", "EMAIL_FROM must be an e-mail address"),
        ("PUBLIC_URL", "hooks.example.com", "PUBLIC_URL must be a URL such as https://"),
        ("DELIVERY_TIMEOUT", "60", "DELIVERY_TIMEOUT must be a number of at least 0.1 and at most 30"),
        ("DELIVERY_MAX_RETRIES", "50", "DELIVERY_MAX_RETRIES must be a whole number of at least 0 and at most 20"),
        ("LOG_LEVEL", "LOUD", "LOG_LEVEL must be DEBUG, INFO"),
        ("SWEEP_INTERVAL", "0", "SWEEP_INTERVAL must be a number of at least 0.1"),
        ("READS_PER_MINUTE", "many", "READS_PER_MINUTE must be a whole number of at least 0"),
        ("WRITES_BURST", "0", "WRITES_BURST must be a whole number of at least 1"),
        ("WAKE_TIMEOUT", "1e300", "WAKE_TIMEOUT must be a number of at least 0 and at most 3,600;"),
        ("SECRET_GRACE", "604801", "SECRET_GRACE must be a whole number of at least 0 and at most 604,800;"),
        ("KEY_GRACE", "9" * 30, "KEY_GRACE must be a whole number of at least 0 and at most 2,678,400;"),
        ("IDEMPOTENCY_SECONDS", "9" * 12, "IDEMPOTENCY_SECONDS must be a whole number of at least 1 and at most"),
        ("RETENTION_DAYS", "99999", "RETENTION_DAYS must be a whole number of at least 7 and at most 3,650;"),
        ("TRUSTED_PROXIES", "10.0.0.0/8", "TRUSTED_PROXIES must be a whole number of at least 0"),
    ],
)
def test_a_malformed_setting_stops_the_start_with_a_sentence_that_names_it(
    name: str, value: str, sentence: str
) -> None:
    done = check({**PRODUCTION, name: value})
    assert done.returncode != 0
    assert sentence in done.stderr.strip().splitlines()[-1]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("EGRESS_NAT64_PREFIX", "2001:db8:64::/96"),
        ("EGRESS_DNS_SERVERS", "10.0.0.2, 10.0.0.3:5353, ::1, [::1], [::1]:53"),
        ("EGRESS_PORTS", "*"),
        ("REDIS_URL", "rediss://user:p%40ss@redis.example.com/3?socket_timeout=5"),
        ("BROKER_URL", ""),
        ("BROKER_URL", "amqps://user:password@rabbit.example.com:5671/hooks"),
        ("BROKER_URL", "sentinel://one:26379/0;sentinel://two:26379/0"),
        ("BROKER_URL", "redis+socket:///run/redis.sock"),
        ("EMAIL_URL", "smtp+tls://me%40example.com:p%3Ass@mail.example.com"),
        ("EMAIL_URL", "smtps://mail.example.com:4650"),
        ("EMAIL_URL", "console://"),
        ("EMAIL_FROM", "Dotfile Hooks <hooks@example.com>"),
        ("PUBLIC_URL", "https://hooks.example.com/"),
        ("DELIVERY_TIMEOUT", "30"),
        ("DELIVERY_MAX_RETRIES", "20"),
    ],
)
def test_a_well_formed_setting_is_taken(name: str, value: str) -> None:
    done = check({**PRODUCTION, name: value})
    assert done.returncode == 0, done.stderr


def test_every_time_has_a_maximum() -> None:
    """Else it would overflow where it is used: in a request, or in the arithmetic of a courier."""
    source = (CHECKOUT / "dotfile_hooks" / "settings.py").read_text()
    times = {*re.findall(r"\b([A-Z_]+)\s+\((?:milli)?seconds\b", source), "RETENTION_DAYS"}
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call) and node.args]
    read = {
        node.args[0].value: len(node.args)
        for node in calls
        if ast.unparse(node.func) in ("env.integer", "env.number") and isinstance(node.args[0], ast.Constant)
    }
    assert len(times) > 15
    assert times - read.keys() == set()
    assert {name for name in times if read[name] < len(("name", "default", "minimum", "maximum"))} == set()


def test_the_lengths_of_a_nat64_prefix_are_those_that_the_engine_knows() -> None:
    assert environment.NAT64_LENGTHS == egress.NAT64_LENGTHS


def test_a_complaint_does_not_repeat_a_secret() -> None:
    done = check({**PRODUCTION, "ENCRYPTION_KEYS": "my-secret-key", "DATABASE_URL": "mysql://me:my-secret@host/name"})
    assert "my-secret" not in done.stderr


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("smtp://mail", environment.MailServer(SMTP, "mail", 25)),
        ("smtp+tls://me%40x:p%3A@mail", environment.MailServer(SMTP, "mail", 587, "me@x", "p:", starttls=True)),
        ("smtps://mail:4650", environment.MailServer(SMTP, "mail", 4650, tls=True)),
    ],
)
def test_the_url_of_a_mail_server_says_how_to_reach_it(
    monkeypatch: pytest.MonkeyPatch, url: str, expected: environment.MailServer
) -> None:
    monkeypatch.setenv("EMAIL_URL", url)
    assert environment.mail_server("EMAIL_URL", "") == expected


@pytest.mark.parametrize("name", ["REDIS_URL", "BROKER_URL", "EMAIL_URL"])
@pytest.mark.parametrize("url", ["redis://:my-secret@host:port/0", "redis://:my-secret@host/x", "x://:my-secret@host"])
def test_a_complaint_about_a_url_does_not_repeat_its_password(name: str, url: str) -> None:
    done = check({**PRODUCTION, name: url})
    assert done.returncode != 0
    assert "my-secret" not in done.stderr


def test_a_setting_may_come_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(PRODUCTION["SECRET_KEY"] + "\n")
    rest = {key: value for key, value in PRODUCTION.items() if key != "SECRET_KEY"}
    assert check({**rest, "SECRET_KEY_FILE": str(tmp_path / "key")}).returncode == 0


def test_a_file_that_cannot_be_read_is_a_sentence(tmp_path: Path) -> None:
    rest = {key: value for key, value in PRODUCTION.items() if key != "SECRET_KEY"}
    done = check({**rest, "SECRET_KEY_FILE": str(tmp_path / "missing")})
    assert "SECRET_KEY_FILE names a file that cannot be read" in done.stderr


def default_of(expression: str) -> str:
    """What a setting is when nobody sets it."""
    done = subprocess.run(
        [sys.executable, "-c", f"from dotfile_hooks import settings as s; print({expression})"],
        cwd=CHECKOUT,
        env={"PATH": os.environ["PATH"], **PRODUCTION},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def test_debug_is_off_unless_asked_for() -> None:
    assert default_of("s.DEBUG") == "False"


def test_the_documented_rates_are_the_default() -> None:
    """The tests' own are larger: see tests/servers.py."""
    names = ("READS_PER_MINUTE", "READS_BURST", "WRITES_PER_MINUTE", "WRITES_BURST")
    assert default_of(f"[getattr(s, name) for name in {names}]") == "[800, 200, 300, 100]"
    document = " ".join((CHECKOUT / "docs" / "integrators.md").read_text().split())
    assert "`GET` 800 times a minute, 200 of them at once" in document
    assert "everything else 300 times, 100 of them at once" in document
