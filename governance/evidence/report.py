"""The report a person reads: what was reviewed, how complete it was, who decided what, and what became of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from fpdf import FPDF
from fpdf.fonts import FontFace, TTFFont

FONTS: Final = Path(__file__).parent / "fonts"
LONGEST: Final = 200  # letters of a cell
MOST: Final = 1_000  # rows of a list in print; the whole of it lies beside as CSV
INK, DIM, LINE = (17, 24, 39), (107, 114, 128), (229, 231, 235)


class Report(FPDF):
    """Pages with a running foot."""

    def __init__(self, title: str, at: datetime) -> None:
        super().__init__(format="A4")
        self.told = _in_one_line(title)
        self.set_creation_date(at)
        self.set_title(title)
        self.set_margins(16, 16, 16)
        self.set_auto_page_break(auto=True, margin=18)
        for family, kind in (("Body", ""), ("More", "-Extended")):  # Latin, and the rest of Latin
            self.add_font(family, "", FONTS / f"Inter-Regular{kind}.ttf")
            self.add_font(family, "B", FONTS / f"Inter-SemiBold{kind}.ttf")
        self.set_fallback_fonts(["More"], exact_match=False)
        self.letters = {code for font in self.fonts.values() if isinstance(font, TTFFont) for code in font.cmap}
        self.add_page()

    def footer(self) -> None:
        """The title and the number of the page."""
        self.set_y(-12)
        self.set_font("Body", size=7)
        self.set_text_color(*DIM)
        self.cell(0, 5, f"{self.printable(self.told)} · page {self.page_no()} of {{nb}}")

    def heading(self, text: str, size: int = 12) -> None:
        """A heading with room above it."""
        text = self.printable(text)
        self.ln(3)
        self.set_font("Body", "B", size)
        self.set_text_color(*INK)
        self.multi_cell(0, size * 0.5, text, new_x="LMARGIN", new_y="NEXT")
        self.ln(1)

    def words(self, text: str) -> None:
        """A paragraph."""
        text = self.printable(text)
        self.set_font("Body", size=9)
        self.set_text_color(*INK)
        self.multi_cell(0, 4.6, text, align="L", new_x="LMARGIN", new_y="NEXT")

    def rows(self, columns: Sequence[str], rows: Iterator[Sequence[str]], widths: Sequence[int]) -> None:
        """A table under its heads."""
        self.set_font("Body", size=7.5)
        self.set_draw_color(*LINE)
        head = FontFace(emphasis="BOLD", color=DIM)
        with self.table(
            headings_style=head, col_widths=tuple(widths), line_height=4, text_align="LEFT",
            borders_layout="HORIZONTAL_LINES", first_row_as_headings=True,
        ) as table:  # fmt: skip
            table.row(list(columns))
            for row in rows:
                # In one line that is wrapped: a name of two hundred lines would be higher than a page.
                table.row([self.printable(_in_one_line(text)) for text in row])

    def printable(self, text: str) -> str:
        """The text with a `?` for every letter the fonts lack: other scripts are whole in the lists beside."""
        return "".join(c if c == "\n" or ord(c) in self.letters else "?" for c in text)


def _in_one_line(text: str) -> str:
    return " ".join(text.split())[:LONGEST]


def write_report(
    path: Path,
    campaign: Mapping[str, Any],
    quality: Sequence[Mapping[str, Any]],
    decisions: Iterator[Mapping[str, Any]],
    removals: Sequence[Mapping[str, Any]],
    now: datetime,
) -> None:
    """Write the report as PDF. `campaign`: title, dates, scope, plan, statement, population_sha256, outcome."""
    report = Report(f"Access review: {campaign['title']}", now)
    _first_page(report, campaign, now)
    _complete(report, campaign["statement"] or {})
    _reviewers(report, quality)
    _decided(report, decisions)
    _carried_out(report, removals)
    report.output(str(path))


def _first_page(report: Report, campaign: Mapping[str, Any], now: datetime) -> None:
    report.heading(str(campaign["title"]), 18)
    outcome = campaign["outcome"] or {}
    said = ", ".join(f"{n:,} {word}" for word, n in sorted((outcome.get("decisions") or {}).items()))
    report.words(
        f"Launched {_at(campaign['launched_at'])} by {campaign['launched_by']}, due {_at(campaign['due_at'])}, closed"
        f" {_at(campaign['closed_at'])} by {campaign['closed_by']}. This report was made {_at(now)}.\n"
        f"Decisions: {said or 'none'}.\n"
        f"Population: SHA-256 {campaign['population_sha256']}"
    )
    statement = campaign["statement"] or {}
    left_out = statement.get("left_out") or []
    report.heading(f"Left out of the review: {len(left_out):,}")
    if not left_out:
        report.words("Nothing that the scope takes was left out.")
        return
    report.rows(
        ("Application", "Account", "Who answers for it", "Why"),
        iter(
            [(r["application"], r["username"] or r["account_id"], r["owner"], r["left_out"]) for r in left_out[:MOST]]
        ),
        (24, 30, 34, 60),
    )
    _rest(report, len(left_out), "population.csv")


def _complete(report: Report, statement: Mapping[str, Any]) -> None:
    report.heading("Completeness and accuracy")
    accounts = statement.get("accounts") or {}
    report.words(
        f"Accounts read: {accounts.get('read', 0):,}. Reviewed: {accounts.get('reviewed', 0):,}. Unable to sign in:"
        f" {accounts.get('inactive', 0):,}. Left out: {accounts.get('left_out', 0):,}. Outside the scope:"
        f" {accounts.get('outside_scope', 0):,}. The sum is even. Facts as of"
        f" {str(statement.get('as_of', ''))[:16].replace('T', ' ')}Z; program {statement.get('program_version', '')},"
        f" policy version {statement.get('policy_version', '')}."
    )
    for name in statement.get("never_read") or ():
        report.words(f"Never read, so nothing of it was reviewed: {name}.")
    columns = ("Feed", "Facts of", "Source", "Pages", "Declared", "Read", "Kept", "Rejected", "SHA-256")
    rows = [
        (
            str(s.get("feed")),
            f"{str(s.get('at', ''))[:16].replace('T', ' ')}Z{' (outdated)' if s.get('outdated') else ''}"
            f"{' (changes only)' if s.get('whole_at') else ''}",
            str(s.get("source", "")),
            *(_number(s.get(name)) for name in ("pages", "declared_total", "rows_read", "kept", "rejected")),
            str(s.get("sha256", ""))[:16],
        )
        for s in statement.get("sources") or ()
    ]
    report.rows(columns, iter(rows), (16, 26, 42, 11, 15, 12, 12, 14, 28))
    for source in statement.get("sources") or ():
        if source.get("whole_at"):
            report.words(_in_changes(source))


def _in_changes(source: Mapping[str, Any]) -> str:
    """What a feed was read from whose last pull read only what changed."""
    whole, changes = source.get("whole") or {}, source.get("changes") or {}
    at = str(source["whole_at"])[:16].replace("T", " ")
    return (
        f"{source.get('feed')}: everything was read as of {at}Z, {_number(whole.get('rows_read'))} rows"
        f" ({_number(whole.get('rejected'))} rejected); since then only what changed,"
        f" {_number(changes.get('rows_read'))} rows ({_number(changes.get('rejected'))} rejected)."
    )


def _reviewers(report: Report, quality: Sequence[Mapping[str, Any]]) -> None:
    report.heading("Reviewers")
    columns = ("Reviewer", "Given", "Decided", "Removed", "Seconds each", "In bulk", "As recommended", "To look at")
    rows = [
        (
            q["reviewer"],
            *(_number(q[name]) for name in ("given", "decided", "removed")),
            "–" if q["seconds"] is None else f"{q['seconds']:.1f}",
            _share(q["bulk_share"]),
            _share(q["agreement"]),
            "; ".join(q["flags"]),
        )
        for q in quality[:MOST]
    ]
    report.rows(columns, iter(rows), (42, 12, 14, 15, 20, 13, 25, 37))
    _rest(report, len(quality), "statement.json")


def _decided(report: Report, decisions: Iterator[Mapping[str, Any]]) -> None:
    """Everything that was not simply kept as recommended, in print; all of it lies beside."""
    shown: list[Mapping[str, Any]] = []
    more = 0
    for row in decisions:
        if row["control"] or (row["decision"] == "keep" and row["first_recommendation"] == "keep"):
            continue
        if len(shown) < MOST:
            shown.append(row)
        else:
            more += 1
    report.heading(f"Decisions other than keeping what was recommended to keep: {len(shown) + more:,}")
    columns = ("No.", "Who", "Application", "Access", "Recommended", "Decision", "By", "Reason")
    rows = (
        (
            str(r["number"]),
            str(r["identity_name"] or r["username"]),
            r["application"],
            str(r["entitlement"] or "the account"),
            r["recommendation"],
            str(r["decision"] or "none"),
            str(r["decided_by"] or ""),
            str(r["reason"] or ""),
        )
        for r in shown
    )
    report.rows(columns, rows, (10, 28, 20, 25, 22, 15, 31, 34))
    _rest(report, len(shown) + more, "decisions.csv")


def _carried_out(report: Report, removals: Sequence[Mapping[str, Any]]) -> None:
    proved = sum(r["status"] == "verified" for r in removals)
    report.heading(f"Removals: {len(removals):,}, of which {proved:,} are proved by reading again")
    columns = ("No.", "Application", "Account", "Access", "State", "Approved by", "Proved")
    rows = (
        (
            str(r["number"]),
            r["application"],
            str(r["username"] or r["account_id"]),
            str(r["entitlement_id"] or "the account"),
            r["status"],
            str(r["approved_by"] or ""),
            _at(r["verified_at"]),
        )
        for r in removals[:MOST]
    )
    report.rows(columns, rows, (11, 26, 32, 32, 20, 36, 28))
    _rest(report, len(removals), "removals.csv")


def _rest(report: Report, number: int, where: str) -> None:
    if number > MOST:
        report.words(f"The first {MOST:,} of {number:,}; all of them are in {where}.")


def _at(at: datetime | None) -> str:
    return "–" if at is None else f"{at.astimezone(UTC):%Y-%m-%d %H:%M}Z"


def _number(value: Any) -> str:
    return "–" if value is None else f"{value:,}"


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.0%}"
