"""A schema that changes under any connector gives no wrong state (FAULTS.md C12)."""

from __future__ import annotations

import re

from connectors.sandbox.faults import Faults
from tests.mutations import Renaming, mutations
from tests.tenancy import many, on, promised, pulled


class TestSchemas:
    def test_two_hundred_mutations_give_no_wrong_state(self, tenant, ground):
        promised(tenant, "mutations")
        tried, wrong = 0, []
        application = many(tenant, ground, 24)
        for account in [*application.accounts.values()][::2]:
            application.set_status(account.id, "deactivated")
        honest = {i: on(r) for i, r in pulled(tenant, ground, application).kept.items()}
        for mutation in mutations(seed=tenant.id, paths=tenant.list_path, silent=tenant.silent):
            ground.faults[application.name] = Faults(mutate=mutation.apply)
            outcome = pulled(tenant, ground, application, deadline_s=10.0)
            tried += mutation.tried
            for found, record in outcome.kept.items():
                if found in honest and on(record) not in (honest[found], None) and not mutation.excuses(found):
                    wrong.append((found, on(record), honest[found], mutation.done))
            if tried >= 200:
                break
        assert tried >= 200
        assert wrong == []

    def test_a_column_that_is_called_otherwise_gives_no_wrong_state(self, tenant, ground):
        promised(tenant, "columns")
        application = many(tenant, ground, 24)
        honest = {i: on(r) for i, r in pulled(tenant, ground, application).kept.items()}
        looking = Renaming(tenant.list_path, "")
        ground.faults[application.name] = Faults(mutate=looking.apply)
        pulled(tenant, ground, application)
        assert len(looking.names) >= 5
        for name in sorted(looking.names):
            if tenant.silent and re.search(tenant.silent, name):
                continue
            ground.faults[application.name] = Faults(mutate=Renaming(tenant.list_path, name).apply)
            outcome = pulled(tenant, ground, application, deadline_s=10.0)
            wrong = {i: on(r) for i, r in outcome.kept.items() if on(r) not in (honest.get(i), None)}
            assert {i: state for i, state in wrong.items() if i in honest} == {}, name
