"""Which columns of ours the headings of a file look like: proposed to whoever sets it up, never read by themselves."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Mapping
from typing import Final

# As exports of HR systems and of applications commonly call them, in lower case with one _ between words.
_ALSO: Final[Mapping[str, tuple[str, ...]]] = {
    "employee_id": (
        *("employee_number", "employee_no", "employee", "emp_id", "emp_no", "personnel_number", "personnel_no"),
        *("personnel_id", "personalnummer", "staff_id", "staff_number", "worker_id", "person_id", "payroll_id"),
    ),
    "work_email": ("email", "e_mail", "mail", "email_address", "work_mail", "business_email", "company_email"),
    "status": (
        *("employment_status", "employee_status", "worker_status", "account_status", "user_status", "state"),
        *("active", "is_active", "enabled"),
    ),
    "hire_date": ("start_date", "start", "date_of_hire", "hired", "joined", "join_date", "entry_date", "eintritt"),
    "termination_date": (
        *("end_date", "end", "leaving_date", "leave_date", "exit_date", "terminated", "date_of_termination"),
        *("separation_date", "austritt"),
    ),
    "last_day_of_work": ("last_day", "last_working_day", "last_day_worked"),
    "worker_type": ("employee_type", "employment_type", "person_type", "contract_type"),
    "contract_end_date": ("contract_end", "contract_until", "end_of_contract"),
    "manager_employee_id": ("manager_id", "manager_number", "supervisor_id", "reports_to_id"),
    "manager_email": ("manager_mail", "supervisor_email", "reports_to_email"),
    "manager_name": ("manager", "supervisor", "reports_to"),
    "department": ("dept", "department_name", "division", "abteilung"),
    "job_title": ("title", "position", "role", "job", "job_name"),
    "title": ("job_title", "position"),
    "location": ("office", "site", "work_location"),
    "time_zone": ("timezone", "tz"),
    "display_name": ("name", "full_name", "employee_name", "fullname", "displayname"),
    "first_name": ("firstname", "given_name", "givenname", "forename", "vorname"),
    "last_name": ("lastname", "surname", "family_name", "familyname", "nachname"),
    "cost_center": ("cost_centre", "costcenter"),
    "legal_entity": ("company", "entity"),
    "account_id": ("id", "user_id", "userid", "account", "uid", "user"),
    "username": ("user_name", "login", "login_name", "account_name", "user"),
    "email": ("e_mail", "mail", "email_address", "user_email", "work_email"),
    "created_at": ("created", "created_on", "created_date", "creation_date", "date_created", "added_on"),
    "last_login_at": (
        *("last_login", "last_log_in", "last_sign_in", "last_signed_in", "last_logged_in", "last_login_date"),
        *("last_login_time", "last_seen", "last_active", "last_activity", "last_access"),
    ),
    "external_id": ("externalid", "saml_id", "name_id", "nameid"),
    "kind": ("account_type", "user_type", "type"),
    "mfa": ("mfa_enabled", "two_factor", "2fa", "2fa_enabled", "two_factor_enabled", "mfa_status"),
    "entitlements": ("roles", "role", "groups", "group", "permissions", "profile", "memberships", "access"),
    "password": ("has_password", "local_password"),
    "responsible": ("owner", "sponsor", "account_owner"),
    "credentials": ("tokens", "api_keys", "keys"),
}


def looks_like(headings: Iterable[str], missing: Collection[str]) -> dict[str, str]:
    """For our columns that are missing the heading that is probably theirs; each heading stands for one at most."""
    plain = {re.sub(r"[\W_]+", "_", heading.casefold()).strip("_"): heading for heading in headings if heading.strip()}
    found: dict[str, str] = {}
    for column in missing:
        names = (name for name in (column, *_ALSO.get(column, ())) if name in plain)
        if name := next(names, None):
            found[column] = plain.pop(name)
    return found


def as_setting(found: Mapping[str, str]) -> str:
    """What would have to be written into the settings of the feed, on one line."""
    return f"columns = {{ {', '.join(f'{ours} = {json.dumps(theirs)}' for ours, theirs in found.items())} }}"
