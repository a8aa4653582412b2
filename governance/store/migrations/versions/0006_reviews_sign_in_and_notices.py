"""Access reviews, sign-in and notices."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """New tables; columns that say which review item a remediation carries out, and who agreed to an exclusion."""
    op.create_table(
        "campaign",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("template", sa.String(), nullable=True),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("scope", sa.JSON(), nullable=True),
        sa.Column("plan", sa.JSON(), nullable=True),
        sa.Column("schedule", sa.String(), nullable=True),
        sa.Column("previous", sa.String(), nullable=True),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("launched_by", sa.String(), nullable=True),
        sa.Column("launched_at", sa.DateTime(), nullable=True),
        sa.Column("due_at", sa.DateTime(), nullable=True),
        sa.Column("closed_by", sa.String(), nullable=True),
        sa.Column("closed_at", sa.DateTime(), nullable=True),
        sa.Column("run", sa.String(), nullable=True),
        sa.Column("population", sa.String(), nullable=True),
        sa.Column("population_sha256", sa.String(), nullable=False),
        sa.Column("statement", sa.JSON(), nullable=True),
        sa.Column("outcome", sa.JSON(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_campaign_due_at", "campaign", ["due_at"], unique=False)
    op.create_index("ix_campaign_status", "campaign", ["status"], unique=False)

    op.create_table(
        "delegation",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("deputy", sa.String(), nullable=False),
        sa.Column("since", sa.DateTime(), nullable=False),
        sa.Column("until", sa.DateTime(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("ended_at", sa.DateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_delegation_actor", "delegation", ["actor"], unique=False)
    op.create_index("ix_delegation_deputy", "delegation", ["deputy"], unique=False)

    op.create_table(
        "evidencepack",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("campaign", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("asked_by", sa.String(), nullable=False),
        sa.Column("asked_at", sa.DateTime(), nullable=False),
        sa.Column("built_at", sa.DateTime(), nullable=True),
        sa.Column("path", sa.String(), nullable=True),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_evidencepack_campaign", "evidencepack", ["campaign"], unique=False)

    op.create_table(
        "notice",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("to", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("about", sa.String(), nullable=False),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("body", sa.Text(), nullable=True),
        sa.Column("link", sa.Text(), nullable=True),
        sa.Column("made_at", sa.DateTime(), nullable=False),
        sa.Column("due_at", sa.DateTime(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("channels", sa.JSON(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("sent_at", sa.DateTime(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("key"),
    )
    op.create_index("ix_notice_to", "notice", ["to"], unique=False)
    op.create_index("notice_about", "notice", ["kind", "about"], unique=False)
    op.create_index("notice_due", "notice", ["status", "due_at"], unique=False)
    op.create_index("notice_sent", "notice", ["sent_at"], unique=False)

    op.create_table(
        "noticepreference",
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("channels", sa.JSON(), nullable=True),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("quiet_from", sa.String(), nullable=True),
        sa.Column("quiet_until", sa.String(), nullable=True),
        sa.Column("time_zone", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("actor"),
    )
    op.create_table(
        "reviewdecision",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("campaign", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("decision", sa.String(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("recommendation", sa.String(), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=True),
        sa.Column("bulk", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_reviewdecision_campaign", "reviewdecision", ["campaign"], unique=False)

    op.create_table(
        "reviewitem",
        sa.Column("campaign", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("application", sa.String(), nullable=False),
        sa.Column("account_id", sa.String(), nullable=False),
        sa.Column("username", sa.String(), nullable=True),
        sa.Column("entitlement_id", sa.String(), nullable=True),
        sa.Column("entitlement", sa.String(), nullable=True),
        sa.Column("identity_id", sa.String(), nullable=True),
        sa.Column("identity_name", sa.String(), nullable=True),
        sa.Column("position", sa.String(), nullable=False),
        sa.Column("employment", sa.String(), nullable=False),
        sa.Column("privileged", sa.Boolean(), nullable=False),
        sa.Column("critical", sa.Boolean(), nullable=False),
        sa.Column("control", sa.Boolean(), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=True),
        sa.Column("recommendation", sa.String(), nullable=False),
        sa.Column("because", sa.Text(), nullable=True),
        sa.Column("first_recommendation", sa.String(), nullable=False),
        sa.Column("first_because", sa.Text(), nullable=True),
        sa.Column("recommended_at", sa.DateTime(), nullable=True),
        sa.Column("reviewer", sa.String(), nullable=True),
        sa.Column("via", sa.String(), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("later", sa.JSON(), nullable=True),
        sa.Column("decision", sa.String(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("decided_by", sa.String(), nullable=True),
        sa.Column("decided_at", sa.DateTime(), nullable=True),
        sa.Column("seconds", sa.Float(), nullable=True),
        sa.Column("bulk", sa.Boolean(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=True),
        sa.Column("remediation", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("campaign", "number"),
    )
    op.create_index("reviewitem_account", "reviewitem", ["application", "account_id", "entitlement_id"], unique=False)
    op.create_index("reviewitem_reviewer", "reviewitem", ["reviewer", "campaign", "decision", "number"], unique=False)
    op.create_index(
        "reviewitem_tally",
        "reviewitem",
        [
            "campaign",
            "reviewer",
            "decision",
            "recommendation",
            "privileged",
            "control",
            "recommended_at",
            "decided_at",
        ],
        unique=False,
    )

    op.create_table(
        "reviewschedule",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("template", sa.String(), nullable=True),
        sa.Column("scope", sa.JSON(), nullable=True),
        sa.Column("plan", sa.JSON(), nullable=True),
        sa.Column("every_months", sa.Integer(), nullable=False),
        sa.Column("next_at", sa.DateTime(), nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("ended_at", sa.DateTime(), nullable=True),
        sa.Column("waiting", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_reviewschedule_next_at", "reviewschedule", ["next_at"], unique=False)

    op.create_table(
        "reviewsignature",
        sa.Column("campaign", sa.String(), nullable=False),
        sa.Column("reviewer", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("campaign", "reviewer"),
    )
    op.create_table(
        "signin",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("issuer", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("groups", sa.Text(), nullable=True),
        sa.Column("started_at", sa.DateTime(), nullable=False),
        sa.Column("authenticated_at", sa.DateTime(), nullable=False),
        sa.Column("seen_at", sa.DateTime(), nullable=False),
        sa.Column("ended_at", sa.DateTime(), nullable=True),
        sa.Column("ended_why", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_signin_email", "signin", ["email"], unique=False)

    op.create_table(
        "startlink",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("made_at", sa.DateTime(), nullable=False),
        sa.Column("expires_at", sa.DateTime(), nullable=False),
        sa.Column("used_at", sa.DateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.add_column("remediation", sa.Column("campaign", sa.String(), nullable=True))
    op.add_column("remediation", sa.Column("number", sa.Integer(), nullable=True))
    op.add_column("remediation", sa.Column("entitlement_id", sa.String(), nullable=True))
    op.add_column("exclusion", sa.Column("second", sa.String(), nullable=True))
    op.add_column("exclusion", sa.Column("waits", sa.Boolean(), nullable=True))
