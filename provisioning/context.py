"""What the platform lends a connector: settings, steps that survive a kill, rotating secrets, the shared budget."""

import datetime as dt
import hashlib
import logging
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.db import connection

from core import clock, crypto
from provisioning.budget import SharedBudget
from provisioning.ports import Budget, ClientCertificate, Context, Secrets, Steps
from subscriptions.models import Operation, OperationStep
from vendors.models import Instance
from vendors.services.instances import read_secret, write_secret

logger = logging.getLogger("provisioning")


class OperationSteps:
    """Steps of an operation, each committed at once."""

    def __init__(self, operation: Operation) -> None:
        self.operation = operation

    def get(self, name: str) -> dict[str, Any] | None:
        """What was noted under ``name``, or None."""
        return OperationStep.objects.filter(operation=self.operation, name=name).values_list("value", flat=True).first()

    def put(self, name: str, value: Mapping[str, Any]) -> None:
        """Note ``value`` under ``name``; no transaction is open, so it is committed when this returns."""
        row = OperationStep(
            organization_id=self.operation.organization_id, operation=self.operation, name=name, value=dict(value)
        )
        # One statement whether the step is new or not: a purchase notes nine of them.
        OperationStep.objects.bulk_create(
            [row],
            update_conflicts=True,
            unique_fields=["operation", "name"],
            update_fields=["value", "updated_at"],
        )


class PassingSteps:
    """Steps of a read or a check: nothing has to survive it."""

    def __init__(self) -> None:
        self.values: dict[str, dict[str, Any]] = {}

    def get(self, name: str) -> dict[str, Any] | None:
        """What was noted under ``name``, or None."""
        return self.values.get(name)

    def put(self, name: str, value: Mapping[str, Any]) -> None:
        """Note ``value`` under ``name``."""
        self.values[name] = dict(value)


class InstanceSecrets:
    """Rotating secrets of an instance; an exchange holds an advisory lock, so one worker at a time does it."""

    def __init__(self, instance: Instance) -> None:
        self.instance = instance

    def get(self, name: str) -> str:
        """The secret, or the empty string."""
        return read_secret(self.instance.pk, name)

    def put(self, name: str, value: str) -> None:
        """Store the secret at once."""
        write_secret(self.instance, name, value)

    def swap(self, name: str, exchange: Callable[[str], str]) -> str:
        """Exchange the secret while nobody else can; what ``exchange`` returns is stored under the lock."""
        with _advisory_lock(f"{self.instance.public_id}:{name}"):
            fresh = exchange(self.get(name))
            self.put(name, fresh)
            return fresh


@contextmanager
def _advisory_lock(name: str) -> Iterator[None]:
    """A session lock of PostgreSQL: unlike a row lock it needs no open transaction while the vendor is asked."""
    key = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [key])
        try:
            yield
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [key])


class PlatformContext:
    """The :class:`provisioning.ports.Context` of one piece of work at one instance."""

    def __init__(self, instance: Instance, *, operation: Operation | None = None, language: str = "en") -> None:
        self.operation_id: uuid.UUID = operation.public_id if operation else uuid.uuid4()
        self.instance_id = str(instance.public_id)
        self.settings: Mapping[str, Any] = instance.read_settings() | {"_version": instance.settings_version}
        self.language = language
        self.definition_marker = instance.definition_marker
        self._instance = instance
        self.steps: Steps = OperationSteps(operation) if operation else PassingSteps()
        self.secrets: Secrets = InstanceSecrets(instance)
        self.budget: Budget = SharedBudget(self.instance_id)

    def certificate(self) -> ClientCertificate | None:
        """The certificate bound to the instance, its key decrypted at this moment."""
        row = self._instance.certificate
        if row is None:
            return None
        return ClientCertificate(
            thumbprint=row.thumbprint,
            certificate_pem=row.chain_pem,
            key_pem=crypto.decrypt(row.key_cipher),
            currency=row.currency,
            expires_at=row.valid_to,
        )

    def now(self) -> dt.datetime:
        """The business clock."""
        return clock.now()

    def log(self, message: str, **details: object) -> None:
        """A line in the worker's log that names operation and instance; details must hold no secret."""
        ids = {"operation": str(self.operation_id), "instance": self.instance_id}
        logger.info(message, extra=ids | {f"detail_{name}": str(value) for name, value in details.items()})


def context_for(instance: Instance, *, operation: Operation | None = None, language: str = "en") -> Context:
    """A context for ``instance``; raises SecretUnreadable if its settings cannot be decrypted."""
    return PlatformContext(instance, operation=operation, language=language)
