"""Versions of a role mapping: drafted, asked for, agreed to by somebody else, written by the worker, sealed."""

from __future__ import annotations

import json
import os
import zipfile
from datetime import timedelta

import pytest
from acting import SAM, SUE
from conftest import NOW
from sqlmodel import select

from governance import mappings
from governance.access import Actor
from governance.errors import ConfigurationError, DecisionError, NotAllowed
from governance.evidence import verify
from governance.mappings.change_record import write_record
from governance.provisioning.written import digest
from governance.tables import AuditEntry, MappingVersion, Request
from governance.views.mappings import before, changes
from jobs import home
from jobs.mappings import bring_in, with_mapping
from jobs.occasions import gather
from mappings.workforces_mapped import mapped
from tests.seeded import account, put_run

TOLD = """# what the house reads
[[source]]
name = "hr"
connector = "hr_csv"
path = "hr.csv"

# the customers
[[application]]
name = "crm"  # ours
connector = "app_csv"
path = "crm.csv"
[application.columns]
account_id = "id"

[[application]]
name = "wiki"
connector = "app_csv"
path = "wiki.csv"

# the wiki's line stays
[[role_mapping]]
application = "wiki"
when = { department = "IT" }
gives = ["Editor"]

# finance
[[role_mapping]]
application = "crm"
when = { department = "Finance" }  # since 2020
gives = ["Finance User"]

[[role_mapping]]
application = "crm"
when = { department = "Sales" }
gives = ["Sales User"]

[[actor]]
email = "sam@corp.example"
roles = ["security"]
"""
FINANCE, SALES = ({"department": "Finance"}, ["Finance User"]), ({"department": "Sales"}, ["Sales User"])
LIVE = mapped(FINANCE, SALES)
DRAFT = mapped(FINANCE, ({"title": {"contains": "Admin"}}, ["Admin"]))
WHY = "Admins need the console"


@pytest.fixture
def kept(tmp_path):
    """A house whose settings stand in a file, and its mappings noted."""
    folder = tmp_path / "home"
    folder.mkdir()
    (folder / "leaverwatch.toml").write_text(TOLD)
    made = home.open_house(folder, {}, NOW)
    mappings.note(made, NOW)
    yield made
    made.store.close()


def status_of(house):
    return {(one.application, one.number): one.status for one in mappings.history(house)}


def asked(house, mapping=DRAFT):
    made = mappings.save(house, SAM, NOW, "crm", mapping)
    return mappings.ask(house, SAM, NOW, made.id, WHY)


class TestDrafting:
    def test_what_is_live_is_the_first_version_and_stands_in_no_audit(self, kept):
        assert status_of(kept) == {("crm", 1): "live", ("wiki", 1): "live"}
        with kept.store.read() as session:
            assert session.exec(select(AuditEntry).where(AuditEntry.object.startswith("mapping/"))).all() == []
        assert mappings.note(kept, NOW) == [], "nothing changed, nothing is written"

    def test_ones_own_draft_is_overwritten_and_somebody_elses_is_not(self, kept):
        one = mappings.save(kept, SAM, NOW, "crm", DRAFT)
        two = mappings.save(kept, SAM, NOW, "crm", mapped(FINANCE))
        other = mappings.save(kept, SUE, NOW, "crm", DRAFT)
        assert (one.id, one.number, other.number) == (two.id, 2, 3)
        assert mappings.mapping_of(mappings.version(kept, "crm/2")) == mapped(FINANCE)

    def test_the_live_mapping_is_no_draft(self, kept):
        with pytest.raises(DecisionError, match="is the role mapping of crm already"):
            mappings.save(kept, SAM, NOW, "crm", LIVE)

    def test_an_unknown_application_and_an_unknown_version_are_named(self, kept):
        with pytest.raises(ConfigurationError, match="no feed is named 'erp'"):
            mappings.save(kept, SAM, NOW, "erp", DRAFT)
        for id in ("nothing", "crm/9", "crm/x"):
            with pytest.raises(DecisionError, match="`leaverwatch mapping list`"):
                mappings.version(kept, id)


class TestAgreeing:
    def test_nobody_agrees_to_their_own_change_however_they_write_their_name(self, kept):
        waits = asked(kept)
        roles, both = frozenset({"admin", "security"}), frozenset({"sam@corp.example", "s.m@corp.example"})
        for me in (Actor("SAM@corp.example", "Sam", roles), Actor("s.m@corp.example", "Sam", roles, addresses=both)):
            with pytest.raises(NotAllowed, match="a second person must agree"):
                mappings.agree(kept, me, NOW, waits.id, "fine")
        assert status_of(kept)["crm", 2] == "waiting"

    def test_a_second_person_agrees_and_the_worker_is_asked_to_write_it(self, kept):
        mappings.agree(kept, SUE, NOW, asked(kept).id, "looked at the list")
        assert status_of(kept)["crm", 2] == "approved"
        with kept.store.read() as session:
            [request] = session.exec(select(Request)).all()
            told = [(one.verb, one.actor) for one in session.exec(select(AuditEntry).order_by(AuditEntry.seq))]
        assert (request.verb, request.arguments["mapping"]) == ("configure", mappings.version(kept, "crm/2").id)
        assert told == [("draft", SAM.email), ("ask", SAM.email), ("approve", SUE.email)]

    def test_a_reason_is_needed_each_time(self, kept):
        made = mappings.save(kept, SAM, NOW, "crm", DRAFT)
        with pytest.raises(DecisionError, match="needs a reason"):
            mappings.ask(kept, SAM, NOW, made.id, " ")
        mappings.ask(kept, SAM, NOW, made.id, WHY)
        for verb in (mappings.agree, mappings.reject):
            with pytest.raises(DecisionError, match="needs a reason"):
                verb(kept, SUE, NOW, made.id, "")

    def test_only_ones_own_draft_can_be_asked_for_and_only_once(self, kept):
        made = mappings.save(kept, SAM, NOW, "crm", DRAFT)
        with pytest.raises(NotAllowed, match="save it as your own"):
            mappings.ask(kept, SUE, NOW, made.id, WHY)
        mappings.ask(kept, SAM, NOW, made.id, WHY)
        with pytest.raises(DecisionError, match="is waiting: only a draft"):
            mappings.ask(kept, SAM, NOW, made.id, WHY)

    def test_it_is_rejected_by_another_and_withdrawn_by_oneself(self, kept):
        assert mappings.reject(kept, SUE, NOW, asked(kept).id, "too wide").status == "rejected"
        assert mappings.reject(kept, SAM, NOW, asked(kept).id, "wrong").status == "withdrawn"
        with pytest.raises(DecisionError, match="nothing to decide"):
            mappings.agree(kept, SUE, NOW, "crm/2", "yes")

    def test_when_the_live_mapping_changed_meanwhile_nothing_is_agreed_to(self, kept):
        waits = asked(kept)
        file = kept.home / "leaverwatch.toml"
        file.write_text(TOLD.replace("Sales User", "Seller"))
        anew = home.open_house(kept.home, {}, NOW)
        with pytest.raises(DecisionError, match="changed since version 2 of crm was drafted"):
            mappings.agree(anew, SUE, NOW, waits.id, "yes")
        anew.store.close()


def test_who_may_agree_is_told_and_who_asked_is_not(make_house):
    actors = [{"email": e, "roles": [r]} for e, r in ((SAM.email, "security"), (SUE.email, "security"),
              ("adm@corp.example", "admin"), ("boss@corp.example", "approver"))]  # fmt: skip
    house = make_house({"application": [{"name": "crm", "title": "CRM", "connector": "memory"}], "actor": actors})
    waits = asked(house)
    [told] = [one for one in gather(house, NOW) if one.kind == "mapping_waiting"]
    assert set(told.to) == {SUE.email, "adm@corp.example"}
    assert (told.body, told.link) == ("CRM: version 1", "mapping_lab?application=crm&version=1")
    mappings.reject(house, SUE, NOW, waits.id, "no")
    assert [one for one in gather(house, NOW) if one.kind == "mapping_waiting"] == []


class TestBringingIn:
    def test_it_is_written_into_the_settings_and_is_live_then(self, kept):
        waits = asked(kept)
        mappings.agree(kept, SUE, NOW, waits.id, "yes")
        live = bring_in(kept, waits.id, {})
        assert bring_in(kept, waits.id, {}).id == live.id, "twice is the same as once"
        assert status_of(kept) == {("crm", 1): "replaced", ("crm", 2): "live", ("wiki", 1): "live"}
        text = (kept.home / "leaverwatch.toml").read_text()
        for stays in ("# what the house reads", "# the customers", 'name = "crm"  # ours', "# the wiki's line stays",
                      'when = { department = "Finance" }  # since 2020'):  # fmt: skip
            assert stays in text
        assert "Sales User" not in text
        anew = home.open_house(kept.home, {}, NOW)
        assert mappings.live(anew, "crm") == DRAFT
        assert mappings.note(anew, NOW) == [], "the worker's own writing is no edit of the operator's"
        assert mappings.earlier(anew, "crm") == LIVE
        anew.store.close()

    def test_what_was_not_approved_is_never_written(self, kept):
        before_it = (kept.home / "leaverwatch.toml").read_bytes()
        with pytest.raises(DecisionError, match="is waiting: only an approved version"):
            bring_in(kept, asked(kept).id, {})
        assert (kept.home / "leaverwatch.toml").read_bytes() == before_it

    def test_an_approved_version_is_not_written_over_a_later_edit(self, kept):
        waits = asked(kept)
        mappings.agree(kept, SUE, NOW, waits.id, "yes")
        file = kept.home / "leaverwatch.toml"
        file.write_text(TOLD.replace("Sales User", "Seller"))
        with pytest.raises(DecisionError, match="changed since version 2 of crm was approved"):
            bring_in(kept, waits.id, {})
        assert "Seller" in file.read_text()

    def test_whoever_edits_the_file_makes_a_version_of_the_operator(self, kept):
        (kept.home / "leaverwatch.toml").write_text(TOLD.replace("Sales User", "Seller"))
        anew = home.open_house(kept.home, {}, NOW)
        [made] = mappings.note(anew, NOW)
        assert (made.number, made.actor, made.reason) == (2, "operator", "the settings were edited")
        assert status_of(anew)["crm", 1] == "replaced"
        anew.store.close()

    def test_an_application_whose_lines_were_taken_out_has_no_live_version(self, kept):
        (kept.home / "leaverwatch.toml").write_text(TOLD[: TOLD.index("# finance")])
        anew = home.open_house(kept.home, {}, NOW)
        mappings.note(anew, NOW)
        assert status_of(anew)["crm", 1] == "replaced"
        anew.store.close()


class TestWriting:
    def test_the_way_of_the_mapping_stands_in_the_applications_table(self, tmp_path):
        from governance.provisioning.written import document

        way = document(mapped(FINANCE, matching="first", updates="explicit", default=["Viewer"]))
        text = with_mapping(TOLD, "crm", way, tmp_path)
        assert 'default_role = ["Viewer"]\nmapping = { matching = "first", updates = "explicit" }\n' in text
        again = with_mapping(text, "crm", document(mapped(FINANCE)), tmp_path)
        assert "default_role" not in again
        assert 'mapping = { matching = "all", updates = "create_only" }' in again

    def test_the_first_line_of_an_application_comes_at_the_end(self, tmp_path):
        from governance.provisioning.written import document

        text = with_mapping(TOLD[: TOLD.index("# the wiki's")], "wiki", document(mapped(FINANCE)), tmp_path)
        assert text.endswith(
            '[[role_mapping]]\napplication = "wiki"\nwhen = { department = "Finance" }\ngives = ["Finance User"]\n'
        )

    def test_a_file_that_is_written_in_another_way_is_left_alone(self, tmp_path):
        from governance.provisioning.written import document

        inline = (
            'role_mapping = [ { application = "crm", when = { department = "IT" }, gives = ["A"] } ]\n'
            + TOLD[: TOLD.index("# the wiki's")]
        )
        with pytest.raises(ConfigurationError, match="edit it by hand"):
            with_mapping(inline, "crm", document(mapped(FINANCE)), tmp_path / "leaverwatch.toml")


class TestRecord:
    def test_the_record_says_what_who_why_and_for_whom_and_is_proved_offline(self, kept, tmp_path):
        people = [{"identity_id": f"hr:{n}", "display_name": f"P{n}", "department": d, "title": t,
                   "state": "current", "kind": "employee", "present": True}
                  for n, (d, t) in enumerate([("Finance", "Clerk"), ("Sales", "Seller"), ("IT", "Admin")])]  # fmt: skip
        put_run(kept, NOW, [account("crm", "a1", owner_id="hr:1")], people)
        made = mappings.save(kept, SAM, NOW, "crm", DRAFT)
        told = changes(before(kept, made))
        waits = mappings.ask(kept, SAM, NOW, made.id, WHY, told)
        done = mappings.agree(kept, SUE, NOW + timedelta(hours=1), waits.id, "fine")
        file = write_record(kept, SUE, NOW, done, before(kept, done), tmp_path / "record.zip")
        assert verify(file).ok
        with zipfile.ZipFile(file) as archive:
            change = json.loads(archive.read("change.json"))
            rows = archive.read("people.csv").decode().splitlines()
        assert (change["actor"], change["decided_by"], change["reason"]) == (SAM.email, SUE.email, WHY)
        assert (change["digest"], change["base"]) == (digest(DRAFT), digest(LIVE))
        assert change["effects"]["gains_privilege"] + change["effects"]["gains_access"] == 1
        assert len(rows) == 3
        file.write_bytes(file.read_bytes().replace(b"identity_id,", b"identity_iD,", 1))
        assert any("people.csv was changed" in problem for problem in verify(file).problems)

    def test_taking_it_stands_in_the_audit(self, kept, tmp_path):
        put_run(kept, NOW, [account("crm", "a1")])
        made = mappings.save(kept, SAM, NOW, "crm", DRAFT)
        write_record(kept, SAM, NOW, made, before(kept, made), tmp_path / "r.zip")
        with kept.store.read() as session:
            last = session.exec(select(AuditEntry).order_by(AuditEntry.seq.desc()).limit(1)).one()
        assert (last.verb, last.object) == ("export", "mapping/crm/2")


def test_versions_are_kept_on_both_stores(make_house):
    """The table of versions, on SQLite and on PostgreSQL."""
    house = make_house({"application": [{"name": "crm", "connector": "memory"}]})
    made = mappings.save(house, SAM, NOW, "crm", DRAFT)
    assert mappings.mapping_of(mappings.version(house, made.id)) == DRAFT
    with house.store.read() as session:
        assert session.get_one(MappingVersion, made.id).base == digest(mapped())
    assert os.path.isdir(house.home)
