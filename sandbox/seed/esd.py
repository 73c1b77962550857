"""Seed table of the ESD twin: clients, products and their names in three languages.

Product names are Microsoft's; stock keeping units, prices, return windows and everything else are **invented** and only
plausible: they are nobody's price list. Prices are recommended retail prices per licence, once, without tax.
"""

from dataclasses import dataclass
from decimal import Decimal

TENANT = "9a4d7c20-61b8-4f3e-8d15-c07e92b4a6f1"
TENANT_DOMAIN = "esd-channel.onmicrosoft.example"
# The domains that ESD's documentation names for trial and production: the same tenant here.
KNOWN_DOMAINS = (TENANT_DOMAIN, "msretailfederation.onmicrosoft.com", "msretailfederationppe.onmicrosoft.com")
EVERYWHERE = ("GR", "US", "DE")


@dataclass(frozen=True)
class Client:
    """A distributor's application in one country: what it may buy, and in which languages it may read."""

    client_id: str
    country: str
    channel_id: str
    languages: tuple[str, ...]
    currencies: tuple[str, ...]


CLIENTS = (
    Client("3c7e1f52-94ab-4d06-b8e1-5f20d9c6a701", "GR", "ESD-GR-100200", ("el-GR", "en-US"), ("EUR", "USD")),
    Client("3c7e1f52-94ab-4d06-b8e1-5f20d9c6a702", "US", "ESD-US-100300", ("en-US",), ("USD",)),
    Client("3c7e1f52-94ab-4d06-b8e1-5f20d9c6a703", "DE", "ESD-DE-100400", ("de-DE", "en-US"), ("EUR",)),
)


@dataclass(frozen=True)
class Item:
    """A product. ``window`` is the return window in days: ``None`` = not told, 0 = not returnable. ``price`` in EUR."""

    sku: str
    brand: str
    terms: tuple[str, ...]
    price: Decimal
    window: int | None = 30
    download: bool = True
    countries: tuple[str, ...] = EVERYWHERE


# What stands after the brand, in English, Greek and German.
TERMS = {
    "pc": ("1 PC", "1 υπολογιστής", "1 PC"),
    "pcmac": ("1 PC or Mac", "1 υπολογιστής ή Mac", "1 PC oder Mac"),
    "user": ("1 user", "1 χρήστης", "1 Benutzer"),
    "six": ("up to 6 users", "έως 6 χρήστες", "bis zu 6 Benutzer"),
    "year": ("12 months", "12 μήνες", "12 Monate"),
    "year3": ("15 months", "15 μήνες", "15 Monate"),
    "all": ("all languages, download", "όλες οι γλώσσες, λήψη", "alle Sprachen, Download"),
    "upgrade": ("upgrade, download", "αναβάθμιση, λήψη", "Upgrade, Download"),
    "ucal1": ("1 user CAL", "1 άδεια πρόσβασης χρήστη", "1 Benutzer-Zugriffslizenz"),
    "ucal5": ("5 user CALs", "5 άδειες πρόσβασης χρήστη", "5 Benutzer-Zugriffslizenzen"),
    "dcal1": ("1 device CAL", "1 άδεια πρόσβασης συσκευής", "1 Geräte-Zugriffslizenz"),
    "dcal5": ("5 device CALs", "5 άδειες πρόσβασης συσκευής", "5 Geräte-Zugriffslizenzen"),
    "core": ("16 cores, download", "16 πυρήνες, λήψη", "16 Kerne, Download"),
}
DESCRIPTIONS = (
    "Electronic licence; the key is sent by e-mail. Invented description and price of the demonstration vendor.",
    "Ηλεκτρονική άδεια· το κλειδί αποστέλλεται με e-mail. Επινοημένη περιγραφή και τιμή του προμηθευτή επίδειξης.",
    "Elektronische Lizenz; der Schlüssel kommt per E-Mail. Erfundene Beschreibung und Preis des Demo-Anbieters.",
)
LANGUAGES = {"en-US": 0, "ww-WW": 0, "el-GR": 1, "de-DE": 2}
GENERATED = (
    "Generated product {0}, all languages",
    "Παραγόμενο προϊόν {0}, όλες οι γλώσσες",
    "Erzeugtes Produkt {0}, alle Sprachen",
)
USD = Decimal("1.08")
COST = Decimal("0.88")


def _rows(years: tuple[tuple[str, str], ...], brands: tuple[tuple[str, str, str, str], ...]) -> list[Item]:
    """One item per brand and year: brand, stem of the number, kind of device, price in EUR."""
    return [
        Item(f"{stem}-{number}", f"{brand} {year}", (device, "all"), Decimal(price))
        for brand, stem, device, price in brands
        for year, number in years
    ]


def _access(brand: str, stem: str, prices: tuple[int, int], *, window: int | None) -> list[Item]:
    """User and device licences, singly and by five."""
    return [
        Item(f"{stem}-{90000 + number}", brand, (term,), Decimal(price), window, download=False)
        for number, (term, price) in enumerate(
            (("ucal1", prices[0]), ("ucal5", prices[1]), ("dcal1", prices[0] - 4), ("dcal5", prices[1] - 15)), 1
        )
    ]


ITEMS: tuple[Item, ...] = (
    *_rows(
        (("2021", "05388"), ("2024", "06798")),
        (
            ("Office Home & Business", "T5D", "pcmac", "299.00"),
            ("Word", "059", "pcmac", "149.00"),
            ("Excel", "065", "pcmac", "149.00"),
            ("PowerPoint", "079", "pcmac", "149.00"),
            ("Outlook", "543", "pcmac", "149.00"),
            ("Access", "077", "pc", "149.00"),
            ("Project Standard", "076", "pc", "639.00"),
            ("Project Professional", "H30", "pc", "1149.00"),
            ("Visio Standard", "D86", "pc", "309.00"),
            ("Visio Professional", "D87", "pc", "579.00"),
            ("Office Professional Plus LTSC", "79P", "pc", "589.00"),
        ),
    ),
    Item("79G-05339", "Office Home & Student 2021", ("pcmac", "all"), Decimal("149.00")),
    Item("EP2-06796", "Office Home 2024", ("pcmac", "all"), Decimal("149.00")),
    Item("164-07924", "Publisher 2021", ("pc", "all"), Decimal("149.00"), None),
    Item("269-17194", "Office Professional 2021", ("pc", "all"), Decimal("579.00")),
    Item("QQ2-01897", "Microsoft 365 Personal", ("user", "year"), Decimal("69.00"), 14, download=False),
    Item("QQ2-01899", "Microsoft 365 Personal", ("user", "year3"), Decimal("86.00"), 14, download=False),
    Item("6GQ-01895", "Microsoft 365 Family", ("six", "year"), Decimal("99.00"), 14, download=False),
    Item("6GQ-01897", "Microsoft 365 Family", ("six", "year3"), Decimal("124.00"), 14, download=False),
    Item("KLQ-00216", "Microsoft 365 Business Standard", ("user", "year"), Decimal("140.00"), 14, download=False),
    Item("SPP-00021", "Microsoft 365 Apps for business", ("user", "year"), Decimal("126.00"), 14, download=False),
    Item("KW9-00664", "Windows 11 Home", ("pc", "all"), Decimal("145.00")),
    Item("FQC-10572", "Windows 11 Pro", ("pc", "all"), Decimal("259.00")),
    Item("HZV-00101", "Windows 11 Pro for Workstations", ("pc", "all"), Decimal("439.00")),
    Item("4YR-00354", "Windows 11 Home to Pro", ("upgrade",), Decimal("145.00"), 0),
    Item("FQC-09131", "Windows 10 Pro", ("pc", "all"), Decimal("259.00"), 0),
    Item("KW9-00265", "Windows 10 Home", ("pc", "all"), Decimal("145.00"), 0, countries=("GR", "DE")),
    Item("C5E-01380", "Visual Studio Professional 2022", ("user", "all"), Decimal("569.00")),
    Item("77D-00111", "Visual Studio Professional 2026", ("user", "all"), Decimal("589.00"), None),
    Item("P73-08328", "Windows Server 2022 Standard", ("core",), Decimal("1069.00")),
    Item("P73-08397", "Windows Server 2025 Standard", ("core",), Decimal("1176.00")),
    Item("P71-09389", "Windows Server 2022 Datacenter", ("core",), Decimal("6155.00"), 0),
    Item("P71-09434", "Windows Server 2025 Datacenter", ("core",), Decimal("6771.00"), 0),
    Item("G3S-01407", "Windows Server 2022 Essentials", ("all",), Decimal("389.00"), countries=("GR", "DE")),
    Item("228-11477", "SQL Server 2022 Standard", ("all",), Decimal("899.00"), None),
    Item("228-11601", "SQL Server 2025 Standard", ("all",), Decimal("929.00")),
    Item("CFQ-00042", "Microsoft 365 Family, student offer", ("six", "year"), Decimal("79.00"), 0, False, ("US",)),
    Item("U4T-00031", "Office Home & Student 2021, retail card", ("pcmac",), Decimal("139.00"), 30, False, ("US",)),
    *_access("Windows Server 2022 CAL", "R18", (44, 209), window=30),
    *_access("Windows Server 2025 CAL", "R19", (48, 229), window=30),
    *_access("Windows Server 2025 Remote Desktop Services CAL", "6VC", (139, 679), window=0),
)


def name_of(item: Item, language: str) -> str:
    """The name in a language: the brand as it is, what stands after it translated."""
    place = LANGUAGES[language]
    return ", ".join((item.brand, *(TERMS[term][place] for term in item.terms)))


def generated_name(number: int, language: str) -> str:
    """The name of a generated product."""
    return GENERATED[LANGUAGES[language]].format(number)
