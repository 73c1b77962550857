"""What customers read of a vendor's refusal: sentences of ours for what they can change, and nothing else."""

import re

import pytest

from microsoft_esd import errors as esd
from office365.errors import TOPICS
from subscriptions.refusals import SENTENCES, cleaned

# What only staff can do something about, or what tells of us, of our contract with the vendor, or of another reseller.
OURS = (
    "credentials_refused", "delegation_missing", "program_inactive", "relationship_lost", "consent_lost", "mpn_invalid",
    "mpn_region", "mpn_fixed", "mpa_missing", "credit_limit", "price_access", "sandbox_limit", "risk_refused",
    "contract", "refused", "internal", "throttled", "customer_locked", "customer_not_approved", "currency_invalid",
)  # fmt: skip
INTERNALS = re.compile(r"\d|@|https?:|[A-Z]{2,}|(?i:partner|tenant|token|application|instance|credential|reseller)")


@pytest.mark.parametrize("code", ["", "800002", "nobody_knows", *OURS])
def test_nothing_is_told_that_is_ours_or_unknown(code):
    assert cleaned(code) == ""


@pytest.mark.parametrize("code", sorted(SENTENCES))
def test_sentences_name_no_ids_and_no_internals(code):
    words = cleaned(code)
    assert (words.endswith("."), INTERNALS.findall(words)) == (True, [])


def test_every_sentence_is_for_a_code_that_exists():
    known = {topic.code for topic in TOPICS} | {topic.code for topic in esd.TOPICS} | {esd.REJECTED}
    assert set(SENTENCES) - known == set()
