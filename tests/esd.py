"""A small vendor that is let in by a certificate, for tests of instances; it speaks to nobody."""

from collections.abc import Sequence
from typing import Any

from provisioning.ports import CheckResult, Context, ErrorKind, Field, FieldKind, VendorError
from vendors.models import Application, Certificate

CODE = "small_esd"
PATH = "tests.esd.SmallEsd"
ANSWER: dict[str, Any] = {"refuses": False, "reads": True}
CLIENT = "11111111-2222-3333-4444-555555555555"


class SmallEsd:
    """A connector with a setting of every role; its token depends on ``ANSWER``."""

    code = CODE
    name = "Small ESD"
    verbs = frozenset({"describe_settings", "test_connection"})

    def describe_settings(self) -> Sequence[Field]:
        """Stage 1: the client id; stage 2: certificate, country, language."""
        return [
            Field("client_id", "Client ID", required=True, role="client"),
            Field(
                "thumbprint",
                "Certificate Thumbprint",
                FieldKind.INSTALLED_CERTIFICATE,
                required=True,
                additional=True,
                role="certificate",
            ),
            Field("country", "Country", required=True, additional=True, role="country", max_length=2),
            Field("language", "Language", required=True, additional=True, role="language"),
        ]

    def test_connection(self, ctx: Context) -> CheckResult:
        """Fetch a token."""
        if ANSWER["refuses"] or ctx.certificate() is None:
            raise VendorError(ErrorKind.MISCONFIGURED, "The vendor refuses this certificate.")
        if not ANSWER["reads"]:
            return CheckResult(False, "catalogue", "The catalogue could not be read.", data={"token": True})
        return CheckResult(ok=True, message="A token was fetched.")

    def account_options(self, ctx: Context, account: Any) -> Sequence[Field]:
        """Nothing is asked."""
        return []


def application() -> Application:
    """Its row."""
    return Application.objects.get_or_create(code=CODE, defaults={"name": "Small ESD"})[0]


def stage_two(certificate: Certificate | None, country: str = "GR", language: str = "el-GR") -> dict[str, str]:
    """Answers of stage 2."""
    thumbprint = certificate.thumbprint if certificate else ""
    return {"thumbprint": thumbprint, "country": country, "language": language}
