"""The product's own token client, through MSAL and TLS, against the twin's sign-in service."""

from collections.abc import Iterator

import jwt
import pytest

from core.http import http_client
from office365.client.settings import SALES_AUDIENCE, InstanceSettings
from office365.client.tokens import InstanceTokens, forget_tokens
from office365.errors import PartnerCenterError
from provisioning.ports import ErrorKind
from tests.office365.memory import MemoryContext
from tests.sandbox.conftest import API
from tests.twins import Twins


@pytest.fixture(autouse=True)
def _fresh_tokens(twins: Twins) -> Iterator[None]:
    forget_tokens()
    yield
    forget_tokens()
    if twins.process.stdout:
        twins.process.stdout.close()


def made(twins: Twins, **changes: str) -> tuple[InstanceTokens, MemoryContext]:
    settings = InstanceSettings.read(twins.instance_settings(**changes))
    ctx = MemoryContext()
    ctx.secrets.put("refresh_token", twins.credentials()["refresh_token"])
    return InstanceTokens(settings, http_client()), ctx


def audience(token: str) -> str:
    return str(jwt.decode(token, options={"verify_signature": False})["aud"])


def test_both_kinds_of_tokens(twins: Twins) -> None:
    tokens, ctx = made(twins)
    old = ctx.secrets.get("refresh_token")
    assert audience(tokens.application_token()) == API
    assert audience(tokens.user_token(ctx, f"{API}/user_impersonation")) == API
    assert audience(tokens.user_token(ctx, f"{SALES_AUDIENCE}/.default")) == SALES_AUDIENCE
    assert ctx.secrets.get("refresh_token") not in ("", old)


def test_wrong_key_is_misconfigured(twins: Twins) -> None:
    tokens, _ctx = made(twins, application_key="wrong")
    with pytest.raises(PartnerCenterError) as caught:
        tokens.application_token()
    assert (caught.value.kind, caught.value.flag) == (ErrorKind.MISCONFIGURED, "credentials_refused")


def test_unknown_tenant_is_misconfigured(twins: Twins) -> None:
    tokens, _ctx = made(twins, partner_tenant="3f0c1a52-0000-4000-8000-000000000000")
    with pytest.raises(PartnerCenterError) as caught:
        tokens.application_token()
    assert (caught.value.kind, caught.value.code) == (ErrorKind.MISCONFIGURED, "tenant_unknown")


@pytest.mark.parametrize("kind", ["consent_revoked", "token_revoked", "token_expired"])
def test_lost_consent_is_named(twins: Twins, kind: str) -> None:
    tokens, ctx = made(twins)
    twins.fault("*", kind)
    with pytest.raises(PartnerCenterError) as caught:
        tokens.user_token(ctx, f"{API}/user_impersonation")
    assert caught.value.flag == "consent_lost"
    assert audience(tokens.application_token()) == API
