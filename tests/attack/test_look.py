"""A storefront's owner who means harm: scripts, style sheets, bombs and disguises in every field of the look."""

import io
import struct
import zlib

import pytest
from PIL import Image

from core.contrast import ENOUGH, brand_css, contrast, palette
from core.errors import BusinessError
from core.pictures import MAX_BYTES, read_picture
from resellers.look import COLOURS, DEFAULTS, LINKS, TEXTS, clean_look, read_look
from resellers.models import Site
from resellers.prose import prose
from resellers.services import design
from storefront.views.look import IMAGE_NAME
from tests.look.sites import browser, owner, picture, reseller_site

SCRIPT = '"><script>alert(1)</script><img src=x onerror=alert(2)>'
CSS = "}body{background:url(https://evil.test/x)}"
LINK_TRICKS = (
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "data:text/html,<script>",
    "//evil.test/",
    "/\\evil.test",
    "http://plain.test/",
    "https://user@evil.test/",
    'https://a.test/"onmouseover="x',
    "https://a.test/ x",
    "vbscript:x",
)


@pytest.mark.django_db
def test_script_in_every_field_is_text_or_refused():
    site = reseller_site()
    actor = owner(site)
    Site.objects.filter(pk=site.pk).update(anonymous_access=True)
    values = {name: SCRIPT[:limit] for name, limit in TEXTS.items() if len(SCRIPT) <= limit}
    values |= {"sections": [[name, True] for name, _on in DEFAULTS["sections"]]}
    values |= {"footer_links": f"{SCRIPT} | /terms/"}
    design.publish_design(actor, site=site, values=values)
    for path in ("/cedar/", "/cedar/terms/", "/cedar/accounts/login/", "/cedar/nothing/"):
        page = browser(site).get(path).content.decode()
        assert "<script>alert" not in page
        assert "<img src=x" not in page
    icon = browser(site).get("/cedar/image/icon.svg").content.decode()
    assert "<script" not in icon


@pytest.mark.parametrize("name", [*COLOURS, "skin", "font", "scheme", "analytics_id", "logo", *LINKS, "support_email"])
@pytest.mark.parametrize(
    "value", [SCRIPT, CSS, "#12345", "#1234567", "red", "expression(alert(1))", "../../etc/passwd"]
)
def test_values_with_a_form_take_nothing_else(name, value):
    look, wrong = clean_look({"name": "x", name: value})
    assert name in wrong
    assert look[name] == DEFAULTS[name]


@pytest.mark.parametrize("link", LINK_TRICKS)
def test_links_lead_to_the_site_or_to_https(link):
    look, wrong = clean_look({"name": "x", "hero_link": link, "footer_links": [["words", link]]})
    assert (look["hero_link"], look["footer_links"]) == ("", [])
    assert set(wrong) == {"hero_link", "footer_links"}
    assert "href" not in prose(f"[words]({link})")


@pytest.mark.parametrize("name", sorted(TEXTS))
def test_endless_texts_are_refused_and_what_is_stored_is_never_longer(name):
    look, wrong = clean_look({"name": "x", name: "ä" * 100_000})
    assert name in wrong
    assert len(look[name]) == TEXTS[name]


def test_odd_values_do_not_break_anything():
    for value in (None, 7, [], {}, True, "\x00", ["a"], {"a": 1}):
        look = read_look(dict.fromkeys(DEFAULTS, value))
        assert set(look) == set(DEFAULTS)
    assert read_look("nothing") == read_look({})


def test_signs_that_turn_the_direction_and_controls_go():
    look, _wrong = clean_look({"name": "Ce\u202edar\x00\x07 \u2066Cloud", "terms": "a\r\nb\x08"})
    assert (look["name"], look["terms"]) == ("Cedar Cloud", "a\nb")
    assert clean_look({"name": "Ελλάς 株式会社 عربى"})[0]["name"] == "Ελλάς 株式会社 عربى"


@pytest.mark.parametrize(
    "text", [SCRIPT, "**<b>**", "## <script>", "- <i>\n- x", "[<b>](https://a.test/)", "[x](/a%22)"]
)
def test_prose_makes_no_html_of_what_was_typed(text):
    made = str(prose(text))
    assert "<script" not in made
    assert "<b>" not in made
    assert "<i>" not in made


def test_prose_makes_blocks():
    made = str(prose("## Terms\n\nOne **two**\nthree\n\n- a\n- [b](https://b.test/x)"))
    assert made == (
        "<h3>Terms</h3>\n<p>One <strong>two</strong><br>three</p>\n"
        '<ul><li>a</li><li><a href="https://b.test/x" rel="noopener">b</a></li></ul>'
    )


@pytest.mark.parametrize("query", ["b=fff}*{color:red", "b=4036c8;x", "a=%3C/style%3E", "b=url(x)&a=zz"])
@pytest.mark.django_db
def test_style_sheet_is_made_of_numbers_only(query):
    site = reseller_site()
    sheet = browser(site).get(f"/cedar/brand.css?{query}").content.decode()
    assert sheet == brand_css("")


@pytest.mark.parametrize("number", range(0, 0xFFFFFF, 0x0A3D71))
def test_letters_are_readable_on_every_colour(number):
    colour = f"#{number:06x}"
    light, dark = palette(colour)
    for scheme in (light, dark):
        assert contrast(scheme.brand, scheme.on_brand) >= ENOUGH
        assert contrast(scheme.strong, scheme.soft) >= ENOUGH


@pytest.mark.django_db
def test_title_holds_the_name_as_text():
    site = reseller_site()
    design.publish_design(owner(site), site=site, values={"name": "</title><script>x"})
    assert "</title><script>" not in browser(site).get("/cedar/accounts/login/").content.decode()


def refused(data: bytes) -> str:
    with pytest.raises(BusinessError) as error:
        read_picture(data, longest=480)
    return error.value.code


def test_only_pictures_are_pictures():
    gif = io.BytesIO()
    Image.new("RGB", (2, 2)).save(gif, "GIF")
    for data in (b"", b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>", b"<?xml?><svg/>", gif.getvalue()):
        assert refused(data) == "picture_format"
    assert refused(picture()[:60]) == "picture_unreadable"
    assert refused(b"\x89PNG\r\n\x1a\n" + b"\x00" * 50) in ("picture_format", "picture_unreadable")


def test_a_picture_that_is_also_a_page_loses_the_page():
    page = b"<html><script>alert(1)</script></html>"
    for kind in ("PNG", "JPEG", "WEBP"):
        made = read_picture(picture(kind) + page, longest=480)
        assert page not in made.data
        assert IMAGE_NAME.fullmatch(made.name)


def test_exif_profiles_and_comments_do_not_survive():
    exif = Image.Exif()
    exif[0x010E] = "secret place"
    data = picture("JPEG", exif=exif, comment=b"secret words")
    assert b"secret place" in data
    made = read_picture(data, longest=480)
    assert b"secret" not in made.data
    with Image.open(io.BytesIO(made.data)) as opened:
        assert dict(opened.getexif()) == {}


def bomb(width: int, height: int) -> bytes:
    """A small PNG that says it is huge."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    rows = zlib.compress(b"\x00" * ((width // 8 + 1) * min(height, 2000)), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def test_bombs_are_refused_before_they_are_unpacked():
    assert len(bomb(50_000, 50_000)) < MAX_BYTES
    for size in ((50_000, 50_000), (6000, 5000), (2_000_000_000, 1)):
        assert refused(bomb(*size)) in ("picture_too_large", "picture_unreadable")


def test_too_many_bytes_and_moving_pictures_are_refused():
    assert refused(b"\x89PNG" + b"\x00" * MAX_BYTES) == "picture_too_large"
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    for kind in ("PNG", "WEBP"):
        buffer = io.BytesIO()
        frames[0].save(buffer, kind, save_all=True, append_images=frames[1:])
        assert refused(buffer.getvalue()) == "picture_moves"


def test_sizes_and_see_through_pictures():
    made = read_picture(picture(size=(2000, 500)), longest=480)
    assert (made.width, made.height) == (480, 120)
    square = read_picture(picture("JPEG", size=(200, 100)), longest=64, square=True)
    assert (square.width, square.height, square.content_type) == (64, 64, "image/png")
    buffer = io.BytesIO()
    Image.new("P", (40, 40)).save(buffer, "PNG", transparency=0)
    with Image.open(io.BytesIO(read_picture(buffer.getvalue(), longest=480).data)) as opened:
        assert opened.mode == "RGBA"
