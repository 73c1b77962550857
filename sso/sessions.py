"""How long a session counts: since the sign-in, and since somebody last used it.

Both are measured on the machine's own time, which a moved business clock does not touch.
"""

from django.conf import settings
from django.http import HttpRequest

from core import clock

STARTED = "sso_started"
SEEN = "sso_seen"
WRITE_EVERY = 60


def has_ended(request: HttpRequest) -> bool:
    """Whether the session of a signed-in user is older than ``SESSION_COOKIE_AGE`` or idle for too long (seconds).

    Notes the present moment at most once a minute, so that reading pages does not write the session every time.
    """
    now = int(clock.real_now().timestamp())
    session = request.session
    started = int(session.get(STARTED, now))
    seen = int(session.get(SEEN, now))
    if now - started > settings.SESSION_COOKIE_AGE or now - seen > settings.SESSION_IDLE_SECONDS:
        return True
    if STARTED not in session:
        session[STARTED] = now
    if SEEN not in session or now - seen >= WRITE_EVERY:
        session[SEEN] = now
    return False
