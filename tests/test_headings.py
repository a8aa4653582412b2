"""Headings that are not ours: which column each looks like is proposed, in words that can be pasted into the settings."""

import tomllib

import pytest

from connectors import app_csv, hr_csv
from connectors.kit.headings import as_setting, looks_like
from governance.errors import UnexpectedAnswer
from tests.feeds import app, hr, hr_connector, put


@pytest.mark.parametrize(
    ("headings", "columns", "found"),
    [
        pytest.param(["Personnel No.", "E-Mail"], hr_csv.COLUMNS, {"employee_id": 0, "work_email": 1}, id="marks"),
        pytest.param(["Title"], hr_csv.COLUMNS, {"job_title": 0}, id="a word that applications mean otherwise"),
        pytest.param(["Job Title"], app_csv.COLUMNS, {"title": 0}, id="a word that HR means otherwise"),
        pytest.param(
            ["User", "User Name"], app_csv.COLUMNS, {"account_id": 0, "username": 1}, id="each stands for one"
        ),
        pytest.param(["Given name", "Surname"], hr_csv.COLUMNS, {"first_name": 0, "last_name": 1}, id="two names"),
        pytest.param(["Salary", "", " "], hr_csv.COLUMNS, {}, id="nothing like ours"),
    ],
)
def test_a_heading_is_taken_for_the_column_it_looks_like(headings, columns, found):
    assert looks_like(headings, columns) == {ours: headings[place] for ours, place in found.items()}


def test_what_is_proposed_can_be_pasted():
    found = {"employee_id": 'No "1"', "work_email": "É-mail"}
    assert tomllib.loads(as_setting(found)) == {"columns": found}


def test_a_file_with_other_headings_is_refused_with_what_would_make_it_readable(tmp_path):
    content = "Personnel No;Employment Status;Last Name;Start\n1;active;Berg;2020-01-01\n"
    with pytest.raises(UnexpectedAnswer, match="expected the column employee_id, status; found: ") as refused:
        hr(tmp_path, content)
    columns = tomllib.loads(str(refused.value).partition("; perhaps ")[2])["columns"]
    assert columns == {
        "employee_id": "Personnel No", "status": "Employment Status", "hire_date": "Start",
    }  # fmt: skip
    assert set(hr(tmp_path, content, columns=columns).people) == {"1"}


def test_a_column_that_looks_as_if_it_should_be_read_is_told_when_checked_and_with_every_pull(tmp_path):
    content = "Emp No,status,End date,Salary\n1,active,2026-12-31,1\n"
    put(tmp_path, "hr.csv", content)
    connector = hr_connector(tmp_path, columns={"employee_id": "Emp No"})
    note = (
        "columns are not read that look as if they should be, perhaps: columns ="
        ' { employee_id = "Emp No", termination_date = "End date" }'
    )
    assert connector.check().notes == (note,)
    assert hr(tmp_path, content, columns={"employee_id": "Emp No"}).reading.notes == [note]
    accounts = app(tmp_path, "account_id,Last Login\n1,2026-11-01\n").reading.notes
    assert accounts == [
        'columns are not read that look as if they should be, perhaps: columns = { last_login_at = "Last Login" }'
    ]
