"""``python -m cloudbss.healthcheck``: exit code 0 if this container answers ``/healthz`` with 200."""

import http.client
import os

TIMEOUT_SECONDS = 4


def host_header(allowed: str) -> str:
    """A host the web process answers to: the first of ``ALLOWED_HOSTS``, without its leading dot."""
    first = allowed.split(",")[0].strip().lstrip(".")
    return first if first and first != "*" else "localhost"


def main() -> int:
    """Ask once."""
    connection = http.client.HTTPConnection("127.0.0.1", 8000, timeout=TIMEOUT_SECONDS)
    try:
        connection.request("GET", "/healthz", headers={"Host": host_header(os.environ.get("ALLOWED_HOSTS", ""))})
        return 0 if connection.getresponse().status == http.client.OK else 1
    except OSError:
        return 1
    finally:
        connection.close()


if __name__ == "__main__":
    raise SystemExit(main())
