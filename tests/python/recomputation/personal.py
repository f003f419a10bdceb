"""The marts of personal data, as they are where the variable allows them."""

from typing import Any

from recomputation.company import Company

PERSONAL_GRAINS = {"survey_comments": ("response_id",), "account_contacts": ("contact_id",)}


def survey_comments(company: Company) -> list[dict[str, Any]]:
    """Return the responses with a comment, of surveys of every type."""
    return [
        {
            "response_id": row["response_id"],
            "account_id": company.customer_of(row["account_id"]),
            "survey": row["survey"],
            "survey_type": company.survey_kind(row["survey"])[0],
            "language": row["language"],
            "comment": row["comment"],
            "score": row["score"],
            "responded_at": row["responded_at"],
        }
        for row in company.facts("survey_responses", "responded_at")
        if row["comment"] is not None
    ]


def account_contacts(company: Company) -> list[dict[str, Any]]:
    """Return the contacts of customers; test accounts are none, and neither is an account that nothing else names."""
    return [
        {
            "contact_id": row["contact_id"],
            "account_id": company.customer_of(row["account_id"]),
            "full_name": row["full_name"],
            "role": row["role"],
            "created_at": row["created_at"],
        }
        for row in company.current("contacts")
        if company.customer_of(row["account_id"]) in company.customers
    ]
