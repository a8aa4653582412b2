"""axe-core: what is serious or critical on a page, in what is ours."""

from __future__ import annotations

from axe_playwright_python.sync_playwright import Axe

STREAMLITS_OWN = (
    "list",  # the sidebar's navigation puts headings between its list items
    "listitem",
    "svg-img-alt",  # the sparkline in st.metric has an empty layer of symbols without a name
)
# Not asked are rules of which by axe-core's own words neither they nor any check of theirs can be serious: they took a
# fifth of the time, and what they find would be left out.
_SERIOUS = """async (own) => {
    const { rules, data } = axe._audit, grave = ["serious", "critical"];
    const impacts = (rule) => [rule.any, rule.all, rule.none].flat().map((it) => data.checks[it.id ?? it]?.impact);
    const light = ({ impact }) => ["minor", "moderate"].includes(impact);
    const never = (rule) => light(rule) && !impacts(rule).some((impact) => grave.includes(impact));
    const left = rules.filter((rule) => own.includes(rule.id) || never(rule));
    if (!left.some(never) || left.length > rules.length / 2) throw new Error("axe-core tells impacts in another way");
    const asked = Object.fromEntries(left.map((rule) => [rule.id, { enabled: false }]));
    const found = await axe.run({ resultTypes: ["violations"], rules: asked });
    return found.violations
        .filter((violation) => grave.includes(violation.impact))
        .map((violation) => [violation.id, violation.nodes.map((node) => node.html.slice(0, 200))]);
}"""


def serious(page):
    """What it finds: rules, and the places that break them."""
    page.evaluate(Axe().axe_script)
    return [tuple(found) for found in page.evaluate(_SERIOUS, list(STREAMLITS_OWN))]
