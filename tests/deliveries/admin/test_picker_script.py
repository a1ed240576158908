"""The search in the picker of events, in a browser (where there is none, conftest.py leaves this file out)."""

from __future__ import annotations

import html
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from django.contrib.staticfiles import finders

from deliveries.events.catalogue import ASKABLE

from .browser import BROWSER
from .conftest import page, read, signed_in

DRIVER = """
<script>
window.addEventListener("load", () => {
  const picker = document.querySelector(".event-picker");
  const search = picker.querySelector("input[type=search]");
  const look = () => ({
    open: !search.closest("[hidden]"),
    shown: [...picker.querySelectorAll(".option:not([hidden]) input")].map((box) => box.value),
    families: [...picker.querySelectorAll("fieldset:not([hidden]) > legend")].map((legend) => legend.textContent),
    status: picker.querySelector("[role=status]").textContent,
  });
  const type = (text) => {
    search.value = text;
    search.dispatchEvent(new Event("input", {bubbles: true}));
    return look();
  };
  const stopped = (key) => !search.dispatchEvent(new KeyboardEvent("keydown", {key, bubbles: true, cancelable: true}));
  const tick = (value) => picker.querySelector(`input[value="${value}"]`).click();
  const told = {begin: look(), typed: type("  Comment DELETED "), none: type("nothing has this")};
  tick("Case.*");
  told.ticked = type("");
  tick("Case.*");
  told.taken_back = look();
  told.stopped = [stopped("Enter"), stopped("a")];
  document.body.append(Object.assign(document.createElement("pre"), {id: "told", textContent: JSON.stringify(told)}));
});
</script>
"""


@pytest.fixture
def told(db: None, tmp_path: Path) -> Any:
    """What the page of a new subscription looked like to a browser after each step of the driver."""
    script = Path(str(finders.find("deliveries/event_picker.js"))).as_uri()
    text = read(signed_in(is_superuser=True).get(page("subscription", "add")))
    shown = tmp_path / "page.html"
    shown.write_text(text.replace("/static/deliveries/event_picker.js", script).replace("</body>", f"{DRIVER}</body>"))
    options = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path}", "--dump-dom"]
    seen = subprocess.run([str(BROWSER), *options, shown.as_uri()], capture_output=True, text=True, timeout=120)
    found = re.search(r'<pre id="told">(.*?)</pre>', seen.stdout, re.DOTALL)
    assert found, seen.stderr
    return json.loads(html.unescape(found[1]))


def test_the_search_finds_ticks_and_counts(told: Any) -> None:
    every = len(ASKABLE)
    assert told["begin"]["open"]
    assert {*told["begin"]["shown"]} == ASKABLE
    assert told["begin"]["status"] == f"{every} of {every} shown, 0 ticked"
    assert "NoteComment.Deleted" in told["typed"]["shown"]
    assert "Note.Deleted" not in told["typed"]["shown"]
    assert told["typed"]["families"] == ["Note Comment"]
    assert told["typed"]["status"] == f"{len(told['typed']['shown'])} of {every} shown, 0 ticked"
    assert (told["none"]["shown"], told["none"]["families"]) == ([], [])
    assert told["ticked"] == {**told["begin"], "status": f"{every} of {every} shown, 1 ticked"}
    assert told["taken_back"] == told["begin"]
    assert told["stopped"] == [True, False]  # Enter would save the form
