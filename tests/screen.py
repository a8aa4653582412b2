"""Pages as a reader sees them: run by Streamlit itself, with their words, buttons and lists."""

from __future__ import annotations

import functools
import itertools
import json
from datetime import UTC, datetime
from pathlib import Path

from sqlmodel import select
from streamlit.components.v2 import manifest_scanner
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from governance.house import install
from governance.pages import all_pages

ROOT = Path(__file__).parents[1]
NOW = datetime.now(UTC)  # the pages read the clock themselves
PAGES = tuple(all_pages())
SECURITY, BOSS, OWNER, ADMIN, AUDITOR = (f"{name}@example.com" for name in ("sec", "boss", "owner", "admin", "audit"))
_TOLD = itertools.count(1)
# For every page it shows, AppTest reads what each installed package says of itself, to find components among them: that
# was four fifths of the time of these tests, and the packages stay as they are while tests run.
manifest_scanner.scan_component_manifests = functools.cache(manifest_scanner.scan_component_manifests)


def script() -> None:
    from governance.shell import main

    main()


def show(house, name, who=SECURITY, **query):
    """The page as this actor sees it."""
    install(house)
    app = AppTest.from_function(script, default_timeout=60)
    app._page_hash = calc_hash("" if name == "overview" else name)
    for key, value in {"as": who, **query}.items():
        app.query_params[key] = value
    app.run()
    return app


def text_of(app):
    """Everything a reader sees as words."""
    kinds = (
        app.title,
        app.header,
        app.subheader,
        app.markdown,
        app.caption,
        app.error,
        app.warning,
        app.info,
        app.success,
    )
    return "\n".join(str(element.value) for kind in kinds for element in kind).replace("\u00a0", " ")


def listed(app):
    """The rows of the page's own grid, as the browser gets them."""
    [grid] = app.get("bidi_component")
    return json.loads(grid.proto.json)["rows"]


def point_at(app, name, current, chosen=()):
    """What the browser tells when a row becomes current and others are selected."""
    told = {"current": current, "chosen": list(chosen), "count": next(_TOLD)}
    app.session_state[f"grid-{name}"] = {"choice": told}
    app.run()
    assert not app.exception
    return app


def without_key(button):
    """A button's label without the key drawn beside it."""
    return button.label.partition("\u2003")[0]


def press(app, label):
    """Click the button with this label."""
    next(button for button in app.button if without_key(button) == label).click().run()
    assert not app.exception
    return app


def rows_of(house, model):
    """Everything a table holds."""
    with house.store.read() as session:
        return list(session.exec(select(model)))
