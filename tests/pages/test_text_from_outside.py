"""Names and reasons that come from outside are shown sign by sign, on every page."""

from __future__ import annotations

import re
import string

import pytest

from governance.parts.text import plain, sentence
from tests import seeded
from tests.screen import BOSS, NOW, PAGES, SECURITY, show, text_of
from tests.seeded import put_findings, put_remediation, put_run, put_snapshot

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:streamlit")


HOSTILE = [
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "<b>bold</b>", "[click](http://evil.example)",
    "![x](http://evil.example/x.png)", "**bold**", "__bold__", "`code`", "``` code", "# title", "- item", "1. item",
    "> quote", "| a | b |", "~~gone~~", "$x^2$", "$$x$$", ":red[alarm]", ":material/home:", ":smile:", "---", "***",
    "http://evil.example", "https://evil.example/a?b=c", "www.evil.example", "a@evil.example`<b>", "[ref]: http://x",
    "&lt;script&gt;", "&#60;", "\\*", "a\\", "x\ny", "x\r\n# y", "\ttab", "    code", "a\u202eb", "a\u200bb", "a\x00b",
    "a\x1b[31mb", "{{7*7}}", "%s%n", "{0}", "<!-- c -->", "<a href=javascript:1>x</a>", "javascript:alert(1)",
    "[x](javascript:alert(1))", "<iframe src=//x>", ":blue-badge[x]", ":gray[x]", "::: warning", "H~2~O", "==mark==",
    "^sup^", "[^1]", "- [ ] task", "<details>", "\u2066x\u2069", "|:-|", "+ plus", "* star",
]  # fmt: skip


def test_text_from_outside_is_shown_sign_by_sign():
    assert len(HOSTILE) == 60
    for payload in HOSTILE:
        shown = plain(payload)
        bare = "".join(part for place, part in enumerate(shown.split("`")) if place % 2 == 0) if "`" in shown else shown
        unescaped = bare.replace("\\\\", "")
        for sign in string.punctuation:
            if sign != "\\":
                assert unescaped.count(sign) == unescaped.count(f"\\{sign}"), (payload, shown, sign)
        assert "\n" not in shown, payload
        assert not shown.startswith((" ", "\t")), payload
        for turner in "\u202e\u2066\u2069\u200b\x00\x1b":
            assert turner not in shown, payload
        assert "http:" not in shown.replace("\\", "").replace("\u2060", "|"), payload


def test_hostile_names_reach_no_page_unescaped(house):
    name = "<img src=x onerror=alert(1)> [click](http://evil.example) :red[x]"
    put_run(house, NOW, [seeded.account("wiki", "a0", owner_id="hr:0", username=name)],
            [{"identity_id": "hr:0", "display_name": name, "state": "ended", "present": True}])  # fmt: skip
    [print_] = put_findings(
        house, NOW,
        {"identity_name": name, "username": name, "reason": f"{name} left.", "application": "wiki", "account_id": "a0",
         "evidence": {"facts": [{"text": name, "source": "hr", "at": None}], "values": {}}},
    )  # fmt: skip
    put_remediation(house, "r1", NOW, identity_name=name, reason=name, error=name, finding=print_,
                    evidence={"finding": {"reason": name, "severity": "critical"}})  # fmt: skip
    put_snapshot(house, "hr", NOW, "held", held_why=name)
    for page in PAGES:
        app = show(
            house,
            page,
            BOSS if page == "approvals" else SECURITY,
            finding=print_,
            id="hr:0" if page == "identities" else "r1",
        )
        assert not app.exception
        said = text_of(app)
        outside_code = re.sub(r"`[^`]*`", "", said)
        assert not re.search(r"(?<!\\)(<img|\[click|:red\[x)", outside_code), page


def test_a_refusal_is_said_as_a_sentence_and_an_address_keeps_its_letters():
    assert sentence("an exclusion needs a reason") == "An exclusion needs a reason\\."
    said = sentence("crm: no account is found: is the filter right?")
    assert (said[:3], said[-3:]) == ("crm", "t\\?"), "a feed keeps its name and a question its mark"
    assert sentence("sam@x.example has released this already.") == "`sam@x.example` has released this already\\."
