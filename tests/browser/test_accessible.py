"""axe-core over every page: nothing serious or critical in what is ours."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.browser.alone import dashboard_alone
from tests.browser.chromium import LONGEST, PAGES, at_rest, open_page, path_of, settled

STREAMLITS_OWN = {
    "list",  # the sidebar's navigation puts headings between its list items
    "listitem",
    "svg-img-alt",  # the sparkline in st.metric has an empty layer of symbols without a name
}


@pytest.fixture(scope="module")
def address(visited):
    """The pages of the demo, as the last visitor left it."""
    with dashboard_alone(visited) as found:
        yield found


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_no_page_has_a_serious_violation(browser, address, width, scheme):
    context = browser.new_context(viewport={"width": width, "height": 1000}, color_scheme=scheme)
    page = context.new_page()
    found = {}
    for name in PAGES:
        open_page(page, address, path_of(name))
        page.get_by_text("HR file").first.wait_for(timeout=LONGEST)
        at_rest(page)
        settled(page)  # charts and tables are drawn after the script has ended
        if name == "Findings":
            page.locator("tbody tr.current").wait_for(timeout=LONGEST)
            page.keyboard.press("x")
            page.get_by_text("1 finding selected").wait_for(timeout=LONGEST)
            at_rest(page)
        for violation in Axe().run(page).response["violations"]:
            if violation["impact"] in ("serious", "critical") and violation["id"] not in STREAMLITS_OWN:
                found.setdefault(name, []).append(
                    (violation["id"], [node["html"][:200] for node in violation["nodes"]])
                )
    context.close()
    assert found == {}
