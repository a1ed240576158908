"""`make run`: what it keeps, what it asks for, and what it tells."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from deliveries.events import catalogue
from dotfile_hooks.dev import keeping, places, run
from dotfile_hooks.dev.keeping import Kept
from dotfile_hooks.dev.processes import StartError
from dotfile_hooks.dev.run import Addresses

AT = Addresses("http://127.0.0.1:8000", "http://127.0.0.1:8001/in/token", "http://127.0.0.1:8001/token/")


def test_what_is_kept_is_the_same_the_next_time(tmp_path: Path) -> None:
    assert Kept.load(tmp_path) == Kept.load(tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["run.json"]
    assert (tmp_path / "run.json").stat().st_mode & 0o777 == 0o600


def test_a_crash_while_writing_costs_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = Kept.load(tmp_path)

    def crash(*arguments: object) -> None:
        raise OSError("the disk is full")

    kept.api_key = "x" * 100
    monkeypatch.setattr(os, "fsync", crash)
    with pytest.raises(OSError, match="disk is full"):
        kept.save()
    monkeypatch.undo()
    assert Kept.load(tmp_path).encryption_key == kept.encryption_key
    assert [file.name for file in tmp_path.iterdir()] == ["run.json"]


@pytest.mark.parametrize("text", ["", '{"secret_key": "my-secr', "[]", '{"unknown": "1"}', '{"api_key": null}', "\0"])
def test_a_file_that_cannot_be_read_is_a_sentence(tmp_path: Path, text: str) -> None:
    (tmp_path / "run.json").write_text(text)
    with pytest.raises(StartError, match="run.json cannot be read.*make clean") as caught:
        Kept.load(tmp_path)
    assert "my-secr" not in str(caught.value)
    assert (tmp_path / "run.json").read_text() == text


@pytest.mark.parametrize("event", ["Case.Created", "Check.Approved", "Document.Decided", "Note.Created"])
def test_the_inspector_is_told_of_everything(event: str) -> None:
    assert catalogue.form_for(event, run.EVENTS)


def test_the_welcome_names_an_address_for_each_subscription(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(places, "kept_folder", lambda: tmp_path)
    assert f"{AT.inbox}/NAME" in run.welcome(Kept.load(tmp_path), AT)


def test_the_data_is_said_to_be_where_it_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("DATABASE_URL", "REDIS_URL"):
        monkeypatch.delenv(name, raising=False)
    assert f"stays in {tmp_path} (make clean" in _told(monkeypatch, tmp_path, tmp_path / "postgres")
    elsewhere = Path("/var/lib/dotfile-hooks/0123/postgres")
    assert f"stays in {tmp_path} and /var/lib/dotfile-hooks/0123 (" in _told(monkeypatch, tmp_path, elsewhere)
    monkeypatch.setenv("DATABASE_URL", "postgres://given")
    monkeypatch.setenv("REDIS_URL", "redis://given")
    assert "on the servers of DATABASE_URL" in keeping.data_place(tmp_path)


def _told(monkeypatch: pytest.MonkeyPatch, local: Path, postgres: Path) -> str:
    monkeypatch.setattr(places, "postgres_folder", lambda _: postgres)
    return keeping.data_place(local)
