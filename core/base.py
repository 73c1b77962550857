"""The base of every model: an integer key inside, a UUID outside, and two time stamps."""

import uuid

from django.db import models

from core import clock


class BaseModel(models.Model):
    """``public_id`` is what addresses, exports and vendors see; ``id`` stays inside (API v3 shows a few of them).

    An object is made at the time of the business, as everything that is reckoned from it; ``updated_at`` is the
    machine's.
    """

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    created_at = models.DateTimeField(default=clock.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        abstract = True
