"""``GET catalog``: pages of one version, changes since a moment, entity tags (``esd.md`` 10)."""

import datetime as dt

from sandbox.cis.answers import problem, stamp
from sandbox.cis.desk import Desk
from sandbox.router import Routes
from sandbox.seed import esd
from sandbox.wire import Request, Response

PAGE_SIZE = 200
SINCE = "%m/%d/%Y %H:%M:%S"


class CatalogueCalls:
    """The catalogue of the country that the client belongs to.

    ``page_size`` holds until the control surface sets another one.
    """

    def __init__(self, desk: Desk, page_size: int = PAGE_SIZE) -> None:
        self.desk = desk
        self._page_size = page_size

    def add_to(self, routes: Routes, root: str) -> None:
        """Add the call below a path."""
        routes.add("GET", f"{root}/catalog", "list_catalog", self.page)

    @property
    def page_size(self) -> int:
        """Products on a page."""
        return int((self.desk.settings.get("page_size") or {}).get("value", self._page_size))

    def page(self, request: Request) -> Response:
        """One page; 304 where the tag of this version and language is known. A page beyond the last one is empty."""
        client = self.desk.client(request)
        language, number = _language(client, request), _number(request)
        catalogue = self.desk.catalogue
        tag = catalogue.tag(client.country, language)
        if _is_known(tag, request.headers.get("if-none-match", "")):
            return Response(304, None, {"ETag": tag})
        skus = catalogue.listing(client.country, _since(request))
        size = self.page_size
        body = {
            "CatalogVersion": catalogue.version(client.country),
            "Page": number,
            "PageCount": max(1, -(-len(skus) // size)),
            "Products": [
                catalogue.shown(client.country, sku, language) for sku in skus[(number - 1) * size : number * size]
            ],
        }
        return Response(200, body, {"ETag": tag})


def _language(client: esd.Client, request: Request) -> str:
    """The language that was asked for, in its usual casing. Raises ``InvalidRequest``."""
    offered = {language.lower(): language for language in (*client.languages, "ww-WW")}
    found = offered.get(request.query.get("lang", "").lower())
    if found is None:
        names = ", ".join(offered.values())
        raise problem("InvalidRequest", f"lang must be one of {names} in {client.country}.")
    return found


def _number(request: Request) -> int:
    text = request.query.get("pg", "1")
    if not text.isdecimal() or not text.isascii() or not 1 <= int(text[:9]) <= 1_000_000:
        raise problem("InvalidRequest", "pg must be a number from 1.")
    return int(text)


def _since(request: Request) -> str:
    """The moment of ``utcUpdatesFrom`` as RFC 3339, or an empty text. Raises ``InvalidRequest``."""
    text = request.query.get("utcUpdatesFrom", "")
    if not text:
        return ""
    try:
        return stamp(dt.datetime.strptime(text, SINCE).replace(tzinfo=dt.UTC))
    except ValueError as error:
        raise problem("InvalidRequest", "utcUpdatesFrom must be MM/dd/yyyy HH:mm:ss, in UTC.") from error


def _is_known(tag: str, given: str) -> bool:
    return given.strip() == "*" or tag in (part.strip().removeprefix("W/") for part in given.split(","))
