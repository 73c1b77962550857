"""The file of a job: whole, in pieces, for its owner, for a day."""

import datetime as dt
import io

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core import clock
from core.job_files import KEPT, PIECE, JobFile, JobFilePiece, forget_files, keep_file, own_file, read_file
from core.jobs import Job
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def here():
    return factories.organization()


def job_of(actor, **values) -> Job:
    return Job.objects.create(
        organization_id=actor.organization_id,
        user_id=actor.user_id,
        account_id=actor.account_id,
        kind="test",
        title="A list",
        **values,
    )


def keep(job: Job, data: bytes = b"abc") -> JobFile:
    return keep_file(job, io.BytesIO(data), name="a.xlsx", content_type="application/x")


@pytest.mark.parametrize("size", [0, 1, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE + 7])
def test_file_comes_back_as_it_was(here, size):
    data = bytes(number % 251 for number in range(size))
    file = keep(job_of(factories.actor(here)), data)
    assert (file.size, b"".join(read_file(file))) == (size, data)
    assert all(len(piece.data) <= PIECE for piece in file.pieces.all())


def test_file_is_read_piece_by_piece(here, django_assert_num_queries):
    file = keep(job_of(factories.actor(here)), b"a" * (PIECE + 1))
    pieces = read_file(file)
    with django_assert_num_queries(1):
        assert len(next(pieces)) == PIECE


def test_second_try_replaces_the_first(here):
    job = job_of(factories.actor(here))
    keep(job, b"first" * PIECE)
    file = keep(job, b"second")
    assert [b"".join(read_file(row)) for row in JobFile.objects.all()] == [b"second"]
    assert (file.size, JobFilePiece.objects.count()) == (6, 1)


def test_file_is_the_owner_s_alone(here):
    admin, colleague = factories.actor(here), factories.actor(here)
    job = job_of(admin)
    file = keep(job)
    assert own_file(admin, job) == file
    assert own_file(colleague, job) is None
    assert own_file(factories.actor(factories.organization()), job) is None
    nobodys = job_of(admin)
    Job.objects.filter(pk=nobodys.pk).update(user=None)
    nobodys.refresh_from_db()
    keep(nobodys)
    assert own_file(admin, nobodys) is None


def test_file_of_an_account_s_user_is_not_his_colleague_s(here):
    account = factories.account(here)
    one, other = factories.actor(here, of=account), factories.actor(here, of=account)
    job = job_of(one)
    file = keep(job)
    assert (own_file(one, job), own_file(other, job)) == (file, None)


def test_file_is_forgotten_after_a_day_and_its_job_is_not(here, still_clock):
    now = clock.now()
    still_clock(now)
    actor = factories.actor(here)
    job, other = job_of(actor), job_of(actor)
    file = keep(job, b"a" * (PIECE + 1))
    assert file.expires_at == now + KEPT
    still_clock(now + KEPT - dt.timedelta(seconds=1))
    later = keep(other)
    assert (forget_files(), own_file(actor, job)) == (0, file)
    still_clock(now + KEPT)
    assert own_file(actor, job) is None
    with CaptureQueriesContext(connection) as asked:
        assert forget_files() == 1
    # The pieces are deleted where they are, not fetched first.
    assert [query["sql"] for query in asked if '"data"' in query["sql"]] == []
    assert list(JobFile.objects.all()) == [later]
    assert (JobFilePiece.objects.count(), Job.objects.filter(pk=job.pk).exists()) == (1, True)
