"""axe-core: what is serious or critical on a page, in what is ours."""

from __future__ import annotations

from axe_playwright_python.sync_playwright import Axe

STREAMLITS_OWN = {
    "list",  # the sidebar's navigation puts headings between its list items
    "listitem",
    "svg-img-alt",  # the sparkline in st.metric has an empty layer of symbols without a name
}


def serious(page):
    """What it finds: rules, and the places that break them."""
    return [
        (violation["id"], [node["html"][:200] for node in violation["nodes"]])
        for violation in Axe().run(page).response["violations"]
        if violation["impact"] in ("serious", "critical") and violation["id"] not in STREAMLITS_OWN
    ]
