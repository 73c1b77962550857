"""The base of every model: an integer key inside, a UUID outside, and two time stamps."""

import uuid

from django.db import models


class BaseModel(models.Model):
    """``public_id`` is what addresses, exports and vendors see; ``id`` stays inside (API v3 shows a few of them)."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True, db_index=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        abstract = True
