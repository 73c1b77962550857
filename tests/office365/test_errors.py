"""Every published error code has a meaning in plain words and a next step."""

import json
from pathlib import Path

import pytest

from office365.errors import TOPICS, describe, error_from_answer, error_from_identity, topic_for
from office365.schemas.common import ApiError, IdentityError
from provisioning.ports import ErrorKind

CONTRACTS = Path(__file__).parent / "fixtures" / "contracts"
REFERENCE = json.loads((CONTRACTS / "reference_codes.json").read_text(encoding="utf-8"))["codes"]
PUBLISHED = {
    str(row["code"])
    for name in ("error_codes_2021-11.json", "error_codes_2026-06_secondary.json")
    for row in json.loads((CONTRACTS / name).read_text(encoding="utf-8"))["errors"]
}
CODES = sorted(PUBLISHED | {code for codes in REFERENCE.values() for code in codes})
WRITES = ("create_cart", "checkout_cart", "update_subscription", "create_transition", "create_customer")


@pytest.mark.parametrize("code", CODES)
def test_every_published_code_has_a_topic(code: str) -> None:
    topic = topic_for(code)
    assert topic is not None
    assert str(topic.sentence).endswith(".") and str(topic.next_step).endswith(".")
    assert "Microsoft" in describe(topic, code, "text")


@pytest.mark.parametrize("code", CODES)
def test_every_published_code_says_what_happened_and_what_to_do(code: str) -> None:
    for call in WRITES:
        error = error_from_answer(call, ApiError(400, code, "their words"))
        topic = topic_for(code, call)
        assert topic is not None
        assert error.code == topic.code
        assert error.kind is not ErrorKind.CONTRACT
        assert error.message == f"{topic.sentence} {topic.next_step} (Microsoft {code}: their words)"


@pytest.mark.parametrize("status", [408, 500, 502, 400, 401, 404, 405, 412])
def test_answer_without_a_code_says_what_to_do(status: int) -> None:
    message = error_from_answer("update_subscription", ApiError(status, "", "")).message
    assert message.endswith(".") and message.count(". ") + message.count("; ") >= 1


def test_topics_are_unique() -> None:
    codes = [code for topic in TOPICS for code in topic.vendor_codes.split()]
    assert len(codes) == len(set(codes))
    assert len({topic.code for topic in TOPICS}) == len(TOPICS)


@pytest.mark.parametrize(
    ("status", "code", "kind", "name", "flag"),
    [
        (403, "900329", ErrorKind.MISCONFIGURED, "delegation_missing", "delegation_missing"),
        (401, "900420", ErrorKind.MISCONFIGURED, "credentials_refused", "credentials_refused"),
        (401, "", ErrorKind.MISCONFIGURED, "credentials_refused", "credentials_refused"),
        (403, "20002", ErrorKind.REFUSED, "relationship_lost", "relationship_lost"),
        (400, "20002", ErrorKind.REFUSED, "relationship_lost", "relationship_lost"),
        (404, "60003", ErrorKind.REFUSED, "relationship_lost", "relationship_lost"),
        (409, "800060", ErrorKind.WAITING, "in_progress", ""),
        (400, "800065", ErrorKind.WAITING, "in_progress", ""),
        (409, "900278", ErrorKind.WAITING, "operation_pending", ""),
        (404, "20000", ErrorKind.WAITING, "not_ready", ""),
        (403, "800073", ErrorKind.WAITING, "customer_under_review", "customer_under_review"),
        (400, "2055", ErrorKind.REFUSED, "changed_meanwhile", ""),
        (412, "", ErrorKind.REFUSED, "changed_meanwhile", ""),
        (403, "13605", ErrorKind.REFUSED, "agreement_missing", ""),
        (400, "123456", ErrorKind.REFUSED, "refused", ""),
        (400, "", ErrorKind.CONTRACT, "contract", ""),
        (405, "1", ErrorKind.CONTRACT, "contract", ""),
        (408, "", ErrorKind.UNKNOWN, "vendor_unreachable", ""),
        (502, "", ErrorKind.UNKNOWN, "vendor_unreachable", ""),
        (500, "800005", ErrorKind.UNKNOWN, "vendor_trouble", ""),
    ],
)
def test_meaning_by_code_then_status(status: int, code: str, kind: ErrorKind, name: str, flag: str) -> None:
    error = error_from_answer("update_subscription", ApiError(status, code, "their text"))
    assert (error.kind, error.code, error.flag, error.vendor_code) == (kind, name, flag, code)


def test_field_messages() -> None:
    error = error_from_answer("create_customer", ApiError(400, "600050", "wrong format"))
    assert set(error.field_errors) == {"registration_number"}
    mfa = error_from_answer("accept_agreement", ApiError(401, "10001", "MFA required"))
    assert mfa.kind is ErrorKind.MISCONFIGURED


@pytest.mark.parametrize(
    ("codes", "status", "user", "kind", "flag"),
    [
        ((65001,), 400, True, ErrorKind.MISCONFIGURED, "consent_lost"),
        ((50076,), 400, True, ErrorKind.MISCONFIGURED, "consent_lost"),
        ((700082,), 400, True, ErrorKind.MISCONFIGURED, "consent_lost"),
        ((50173,), 400, True, ErrorKind.MISCONFIGURED, "consent_lost"),
        ((70002, 50126), 400, True, ErrorKind.MISCONFIGURED, "consent_lost"),
        ((7000215,), 401, False, ErrorKind.MISCONFIGURED, "credentials_refused"),
        ((7000215,), 401, True, ErrorKind.MISCONFIGURED, "credentials_refused"),
        ((700016,), 400, False, ErrorKind.MISCONFIGURED, "credentials_refused"),
        ((90033,), 400, True, ErrorKind.WAITING, ""),
        ((), 503, False, ErrorKind.WAITING, ""),
    ],
)
def test_meaning_of_sign_in_errors(codes: tuple[int, ...], status: int, user: bool, kind: ErrorKind, flag: str) -> None:
    error = error_from_identity(IdentityError(status, "invalid_grant", "AADSTS: text", codes), user=user)
    assert (error.kind, error.flag) == (kind, flag)
