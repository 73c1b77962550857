"""A reseller words his mails: checked, filled without being evaluated, previewed, per language, and set back."""

import datetime as dt
from types import SimpleNamespace
from typing import Any

import pytest
from django.utils import translation

from core.audit import AuditEntry
from core.contrast import ENOUGH, contrast
from core.errors import BusinessError, PermissionRefused
from notifications.models import OutgoingMail
from notifications.services import mail_fields, mail_texts
from notifications.services.compose import queue_mail
from notifications.services.mail_types import MAIL_TYPES
from resellers.enums import Edition
from resellers.models import Account, Site
from resellers.services import sites
from resellers.services.site_end import forget_site
from resellers.site_models import SiteMailText
from tests import factories
from tests.look.sites import browser, owner, reseller_site

pytestmark = pytest.mark.django_db
PLACED = MAIL_TYPES["order_placed"]
INVITED = MAIL_TYPES["user_invited"]


@pytest.fixture
def site() -> Site:
    return reseller_site()


def word(
    site: Site, *, kind=PLACED, language="en", subject="Got {{ order.number }}", text="Thanks, {{user.first_name}}!"
):
    return mail_texts.save_text(owner(site), kind=kind, language=language, subject=subject, text=text)


def mail(site: Site, template: str = "user_invited", language: str = "en", **more: Any) -> OutgoingMail:
    context = {"first_name": "Nia", "invited_by": "Ada", "company": "Elm Bakery", "link": "https://x.example/t"} | more
    return queue_mail(
        template,
        organization=site.organization,
        site=Site.objects.get(pk=site.pk),
        account=site.account,
        recipient="nia@people.test",
        language=language,
        context=context,
        dedupe_key=f"{template}:{language}:{OutgoingMail.objects.count()}",
    )


@pytest.mark.parametrize("kind", MAIL_TYPES.values(), ids=MAIL_TYPES)
def test_standard_text_of_every_mail_is_right_and_knows_its_fields(site, kind):
    subject, text = mail_texts.standard_text(kind, "en")
    assert mail_texts.checked(kind, subject=subject, text=text) == (subject, text)
    assert set(kind.fields) <= mail_fields.FIELDS.keys()
    shown = mail_texts.preview(owner(site), kind=kind, language="en", subject=subject, text=text)
    assert not mail_fields.places_of(shown.subject + shown.text + shown.html)


@pytest.mark.parametrize("kind", MAIL_TYPES.values(), ids=MAIL_TYPES)
def test_every_mail_there_is_a_template_of(kind):
    from django.template.loader import get_template  # Only this test asks the loader.

    assert get_template(f"mail/{kind.name}.txt")


def test_own_text_takes_the_place_of_the_standard_one_in_its_language(site):
    text = "Dear {{ user.first_name }},\n\n**{{ user.invited_by }}** lets you in to {{ account.name }}."
    word(site, kind=INVITED, subject="Come in to {{ site.name }}", text=text)
    own = mail(site)
    assert own.subject == "Come in to Cedar Cloud"
    assert own.text.startswith("Dear Nia,\n\nAda lets you in to Elm Bakery.\n\nhttps://x.example/t\n\nCedar Cloud")
    assert "<strong>Ada</strong> lets you in to Elm Bakery." in own.html
    assert 'href="https://x.example/t"' in own.html
    other = mail(site, language="el")
    assert "Come in" not in other.subject


def test_what_a_field_brings_is_neither_evaluated_nor_marked_up(site):
    word(site, kind=INVITED, subject="{{ user.first_name }}", text="Hello {{ user.first_name }}")
    name = "<script>x</script> **b** [a](https://evil.example) {{ site.name }}\r\nBcc: all@evil.test"
    found = mail(site, first_name=name)
    assert "<script>" not in found.html
    assert "<strong>" not in found.html
    assert "https://evil.example" in found.text
    assert 'href="https://evil.example"' not in found.html
    assert "{{ site.name }}" in found.text
    assert "\n" not in found.subject


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("subject", {"subject": ""}),
        ("text", {"text": " \n "}),
        ("subject", {"subject": "x" * 151}),
        ("text", {"text": "x" * 5001}),
        ("text", {"text": "{{ subscription.name }}"}),
        ("subject", {"subject": "{{ order.payer.credit_limit }}"}),
        ("text", {"text": "{{ order.number"}),
        ("text", {"text": "{% include 'x' %}"}),
        ("text", {"text": "{{ order.number|safe }}"}),
        ("text", {"text": "[here](/products/)"}),
        ("text", {"text": "[here](http://x.example)"}),
        ("text", {"text": "[here](javascript:alert)"}),
    ],
)
def test_wrong_texts_are_refused_at_their_field(site, field, values):
    with pytest.raises(BusinessError) as refused:
        word(site, **values)
    assert set(refused.value.context["fields"]) == {field}
    assert not SiteMailText.objects.exists()


def test_html_is_shown_as_it_was_typed(site):
    word(site, kind=INVITED, subject="Hi", text='<img src=x onerror="alert(1)"> <b>Hi</b>')
    assert "<img" not in mail(site).html


def test_order_fields_show_the_leg_the_mail_was_given(site):
    lines = [SimpleNamespace(quantity=5, product_name="Team & Suite"), SimpleNamespace(quantity=1, product_name="Box")]
    order = SimpleNamespace(
        number="ORD-7", gross=495, currency="EUR", is_priced=True, lines=SimpleNamespace(all=lambda: lines)
    )
    word(site, text="{{ order.lines }}\n\nTotal {{ order.total }}")
    values = {"order": order, "first_name": ""}
    with translation.override("en"):
        found = mail_texts.worded(Site.objects.get(pk=site.pk), "order_placed", "en", values)
        assert found is not None
        assert (found.subject, found.text) == ("Got ORD-7", "- 5 x Team & Suite\n- 1 x Box\n\nTotal 495.00 EUR")
        assert "- 5 x Team &amp; Suite<br>- 1 x Box" in found.html
        order.is_priced = False
        unpriced = mail_texts.worded(Site.objects.get(pk=site.pk), "order_placed", "en", values)
        assert unpriced is not None
        assert "495" not in unpriced.text + unpriced.html


def test_service_fields():
    row = SimpleNamespace(
        name="Team Suite",
        quantity=3,
        plan=SimpleNamespace(label="1 year"),
        account=SimpleNamespace(name="Elm"),
        first_activated_at=dt.datetime(2026, 1, 31, 9, 30, tzinfo=dt.UTC),
    )
    values = {"subscription": row, "renews_on": dt.date(2027, 1, 31), "event": {"count": 2, "reason": "No"}}
    read = mail_fields.found_in(values)
    names = ("subscription.name", "subscription.plan", "account.name", "subscription.renewal_date", "request.count")
    assert [read(name) for name in names] == ["Team Suite", "1 year", "Elm", "2027-01-31", "2"]
    assert read("subscription.first_activation_date_time") == "2026-01-31 09:30 UTC"
    assert (read("request.reason"), read("order.lines"), read("schedule.plan")) == ("No", "", "")


def test_reset_brings_the_standard_text_back_and_both_are_logged(site):
    word(site, kind=INVITED, subject="Mine", text="Mine")
    assert mail_texts.reset_text(owner(site), kind=INVITED, language="en")
    assert not mail_texts.reset_text(owner(site), kind=INVITED, language="en")
    assert mail(site).subject == "Your access to Cedar Cloud"
    logged = AuditEntry.objects.filter(action__startswith="site.mail_text").order_by("pk")
    assert [row.action for row in logged] == ["site.mail_text", "site.mail_text_reset"]


def test_texts_rest_without_a_plan_and_go_with_the_site(site):
    word(site, kind=INVITED, subject="Mine", text="Mine")
    sites.close_plan(site.account_id, plan_id=site.plan_id)
    assert mail(site).subject != "Mine"
    with pytest.raises(PermissionRefused):
        word(site)
    assert SiteMailText.objects.count() == 1
    forget_site(site)
    assert not SiteMailText.objects.exists()


def test_each_reseller_words_his_own_mails(site):
    word(site, kind=INVITED, subject="Mine", text="Mine")
    other = reseller_site("birch", name="Birch", edition=Edition.FREE)
    assert not mail_texts.own_texts(owner(other)).exists()
    assert mail(other).subject != "Mine"
    word(other, kind=INVITED, subject="Birch's", text="Free has texts of its own")
    assert (mail(site).subject, mail(other).subject) == ("Mine", "Birch's")


@pytest.mark.parametrize("colour", ["#ffe066", "#0b1f4b", "#7f7f7f", "", "red"])
def test_button_can_be_read_on_every_brand(site, colour):
    Site.objects.filter(pk=site.pk).update(brand_color=colour)
    colours = mail_texts.brand_colours(colour)
    assert contrast(colours["brand_color"], colours["on_brand"]) >= ENOUGH
    assert f"background:{colours['brand_color']};color:{colours['on_brand']}" in mail(site).html


def test_pages(site):
    user = factories.user(site.organization, of=Account.objects.get(pk=site.account_id))
    client = browser(site, user=user)
    address = "/cedar/my-shop/mail/texts/order_placed/en/"
    assert "Order submitted" in client.get("/cedar/my-shop/mail/texts/").content.decode()
    assert "{{ order.number }}" in client.get(address).content.decode()
    values = {"subject": "Got {{ order.number }}", "text": "Thank you very much"}
    shown = client.post(address, values | {"deed": "preview"}).content.decode()
    assert "Got ORD-000123" in shown
    assert not SiteMailText.objects.exists()
    assert client.post(address, {"subject": "{{ x }}", "text": "y", "deed": "preview"}).status_code == 400
    assert client.post(address, values | {"deed": "save"}).status_code == 302
    assert "own text" in client.get("/cedar/my-shop/mail/texts/").content.decode()
    assert client.post(address, {"deed": "reset"}).status_code == 302
    assert not SiteMailText.objects.exists()
    for wrong in ("order_placed/de", "order_no_credit/en"):
        assert client.get(f"/cedar/my-shop/mail/texts/{wrong}/").status_code == 404
