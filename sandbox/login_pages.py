"""The calls of the sign-in service: tokens, discovery, keys and a plain consent page."""

import html
from collections.abc import Mapping
from typing import Any, Protocol
from urllib.parse import urlencode, urlsplit

from sandbox.clock import iso, real_now
from sandbox.login_errors import NO_STORE, aadsts
from sandbox.wire import HTML, Request, Response, WireError
