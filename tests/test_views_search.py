"""The search box of the findings, on both engines: every word anywhere in the text, by an index."""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing

import pytest
import sqlalchemy as sa
from sqlmodel import col

from governance.store import backup, indexed_together, open_store, put_rows, update_rows
from governance.store.searching import indexed
from governance.tables import Finding
from governance.views import findings as listed
from governance.views.paging import CAP, SIZE, Cursor
from tests import seeded
from tests.listing import walk
from tests.seeded import put_findings


@pytest.fixture
def house(make_house, store_url):
    return make_house(seeded.TWO_APPLICATIONS, url=store_url)


def found(house, text, **narrowed):
    return {row["fingerprint"] for row in listed.page(house, listed.Filters(text=text, **narrowed)).rows}


def test_search_finds_every_word_and_takes_signs_as_they_are(house, now):
    put_findings(
        house, now, {"search": "marta lindqvist m.lindqvist@x"}, {"search": "marta 100% _done"}, {"search": "yusuf"}
    )
    for text, hits in (
        ("marta", 2),
        ("MARTA Lind", 1),
        ("ndqv", 1),
        ("100%", 1),
        ("_done", 1),
        ("%", 1),
        ("_", 1),
        ("%_", 0),
        ("marta yusuf", 0),
        ("'", 0),
        ('"', 0),
        ("@x", 1),
        ("uf", 1),
        ("a", 2),
        ("ma rt", 2),
        ("f su", 1),
        ("zz", 0),
        ("or not and (", 0),
    ):
        assert listed.page(house, listed.Filters(text=text)).total == hits, text


def test_search_finds_what_a_plain_reading_of_every_text_finds(house, now):
    dice = random.Random(7)
    letters = "abaabc%_'\"-*^é日 "
    texts = [" ".join("".join(dice.choices(letters, k=dice.randint(1, 30))).split()) + "x" for _ in range(SIZE - 1)]
    prints = put_findings(house, now, *({"search": text} for text in texts))
    held = 0
    for _ in range(150):
        text = dice.choice(texts)
        start = dice.randrange(len(text))
        words = text[start : start + dice.choice((1, 2, 3, 4, 9, 25))].split()
        wanted = {p for p, t in zip(prints, texts, strict=True) if all(word in t for word in words)}
        assert found(house, " ".join(words)) == wanted, words
        held += len(wanted)
    assert held > 150


def test_search_follows_what_is_changed_and_removed(house, now):
    one, two, three = put_findings(house, now, {"search": "before"}, {"search": "before"}, {"search": "stays"})
    with house.store.write() as session:
        update_rows(session, Finding, "fingerprint", [{"fingerprint": one, "search": "after"}])
        session.delete(session.get_one(Finding, two))
        session.get_one(Finding, three).status = "excluded"
    assert (found(house, "before"), found(house, "after"), found(house, "stays")) == (set(), {one}, set())
    assert found(house, "stays", status="excluded") == {three}
    with house.store.read() as session:
        assert session.execute(sa.select(sa.func.count()).select_from(Finding)).scalar_one() == 2


def test_a_text_narrows_a_filtered_list_page_by_page(house, now):
    rows = [
        {"account_id": f"a{n}", "rule": ("ghost", "stale")[n % 2], "search": ("olga", "omar")[n % 3 == 0]}
        for n in range(400)
    ]
    put_findings(house, now, *rows)
    filters = listed.Filters(text="olg", rule="ghost", severity="critical", application="crm")
    pages = walk(lambda at: listed.page(house, filters, at), listed.KEY)
    seen = [row["fingerprint"] for page in pages for row in page.rows]
    assert len(seen) == len(set(seen)) == pages[0].total == sum(n % 3 != 0 and n % 2 == 0 for n in range(400))


def test_a_word_that_stands_nearly_everywhere_is_counted_to_the_cap_and_listed_in_order(house, now):
    put_findings(house, now, *({"rule": ("stale", "ghost")[n > CAP], "search": "everybody"} for n in range(CAP + 20)))
    seen = listed.page(house, listed.Filters(text="everybody"))
    assert (seen.total_text, len(seen.rows), seen.rows[18]["rule"], seen.rows[19]["rule"]) == (
        "10,000+", SIZE, "ghost", "stale",
    )  # fmt: skip


def test_a_word_that_many_hold_far_down_the_list_is_found_there(house, now):
    above = ({"rule": "ghost", "account_id": f"a{n}", "search": "nobody"} for n in range(listed.NEAR + 10))
    below = ({"rule": "stale", "account_id": f"b{n}", "search": "somebody"} for n in range(CAP + 2))
    put_findings(house, now, *above, *below)
    first = listed.page(house, listed.Filters(text="SOMEB"))
    second = listed.page(house, listed.Filters(text="SOMEB"), Cursor.decode(first.next, listed.KEY))
    back = listed.page(house, listed.Filters(text="SOMEB"), Cursor.decode(second.previous, listed.KEY))
    assert [row["account_id"] for row in (*first.rows, *second.rows)] == [f"b{n}" for n in range(2 * SIZE)]
    assert (first.total_text, back.rows) == ("10,000+", first.rows)


def test_findings_written_together_are_found_and_so_is_the_next_one(house, now):
    [kept] = put_findings(house, now, {"search": "alone"})
    with house.store.read() as session:
        row = session.get_one(Finding, kept).model_dump()
    with house.store.write() as session, indexed_together(session):
        put_rows(session, Finding, [{**row, "fingerprint": f"t{n}", "search": f"together {n}"} for n in range(3)])
    with house.store.write() as session:
        put_rows(session, Finding, [{**row, "fingerprint": "later", "search": "together later"}])
    assert found(house, "together") == {"t0", "t1", "t2", "later"}
    assert found(house, "alone") == {kept}


def test_a_write_that_fails_leaves_the_index_as_it_was(house, now):
    [kept] = put_findings(house, now, {"search": "alone"})
    with pytest.raises(KeyError), house.store.write() as session, indexed_together(session):  # noqa: PT012
        session.execute(sa.update(Finding).values(search="gone"))
        raise KeyError("on purpose")
    with house.store.write() as session:
        session.execute(sa.update(Finding).where(col(Finding.fingerprint) == kept).values(search="found again"))
    assert (found(house, "alone"), found(house, "gone"), found(house, "again")) == (set(), set(), {kept})


def test_a_backup_can_be_searched_also_after_it_was_packed(house, now, tmp_path):
    prints = put_findings(house, now, *({"search": f"person {n:04}"} for n in range(60)))
    with house.store.write() as session:
        session.execute(sa.delete(Finding).where(col(Finding.fingerprint).in_(prints[:30])))
    copy = backup(house.store, tmp_path / "kept", now)
    with closing(sqlite3.connect(copy, isolation_level=None)) as raw:
        raw.execute("VACUUM")
        raw.execute("INSERT INTO findingtext(findingtext) VALUES ('integrity-check')")
    store = open_store(f"sqlite:///{copy}", tmp_path, now)
    try:
        with store.read() as session:
            reached, may_hold = indexed(session, ["0042"])
            query = sa.select(col(Finding.search)).select_from(reached).where(may_hold)
            assert session.execute(query).scalars().all() == ["person 0042"]
    finally:
        store.close()


@pytest.mark.needs_postgres
def test_a_server_that_lets_us_have_no_extension_searches_all_the_same(postgres, make_house, now):
    name = postgres.fresh()
    postgres.run("DROP ROLE IF EXISTS plain")
    postgres.run("CREATE ROLE plain LOGIN")
    import psycopg

    with psycopg.connect(f"host=127.0.0.1 port={postgres.port} user=postgres dbname={name}", autocommit=True) as link:
        link.execute("GRANT USAGE, CREATE ON SCHEMA public TO plain")
    house = make_house(seeded.TWO_APPLICATIONS, url=postgres.url(name).replace("postgres@", "plain@"))
    prints = put_findings(house, now, {"search": "marta lindqvist"}, {"search": "yusuf"})
    with house.store.read() as session:
        assert "finding_search" not in {i["name"] for i in sa.inspect(session.connection()).get_indexes("finding")}
    assert found(house, "lindq") == {prints[0]}
