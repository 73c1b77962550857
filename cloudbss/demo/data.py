"""The demo's people and companies. Names are invented; addresses are public places."""

from dataclasses import dataclass, field

from resellers.enums import AccountKind, Edition
from users.permissions import StaffRole, StorefrontRole

DOMAIN = "aster.example"


@dataclass(frozen=True)
class Person:
    """A demo user: the role word of ``demo_info``, name and roles; ``account`` is the key of a company."""

    role: str
    first_name: str
    last_name: str
    roles: tuple[str, ...]
    account: str = ""

    @property
    def email(self) -> str:
        """Their address, made of the first name."""
        return f"{self.first_name.lower()}@{self.account or 'aster'}.example"


@dataclass(frozen=True)
class Company:
    """A demo account."""

    key: str
    name: str
    kind: str
    street: str
    postal_code: str
    city: str
    country: str = "DE"
    phone: str = "+49 30 2270"
    bill_to: str = ""
    currency: str = "EUR"
    edition: str = ""
    credit: int = 250_000
    price_list: str = ""
    mpn_id: bool = False
    contact: tuple[str, str] = field(default=("Alex", "Kern"))


STAFF = (
    Person("distributor_admin", "Ines", "Aster", (StaffRole.ADMINISTRATOR,)),
    Person("distributor_sales", "Jonas", "Weber", (StaffRole.SALES, StaffRole.BILLING)),
    Person("distributor_support", "Mira", "Lang", (StaffRole.SUPPORT,)),
)

CUSTOMER_USERS = (
    Person("reseller_basic_admin", "Paul", "Birk", (StorefrontRole.ADMIN,), "birch"),
    Person("reseller_standard_admin", "Clara", "Zeder", (StorefrontRole.ADMIN,), "cedar"),
    Person("reseller_standard_buyer", "Ben", "Zeder", (StorefrontRole.BUYER,), "cedar"),
    Person("customer_admin", "Dora", "Sand", (StorefrontRole.ADMIN,), "dune"),
    Person("customer_buyer", "Nils", "Sand", (StorefrontRole.BUYER,), "dune"),
    Person("end_customer_admin", "Ella", "Ulme", (StorefrontRole.ADMIN,), "elm"),
)

SUPERUSER = Person("superuser", "Rhea", "Root", (), "")

BIRCH, CEDAR = "birch", "cedar"

MAIN = (
    Company("dune", "Dune Logistics", AccountKind.DIRECT, "Am Sandtorkai 1", "20457", "Hamburg", price_list="retail"),
    Company(
        BIRCH,
        "Birch IT",
        AccountKind.RESELLER,
        "Torstrasse 49",
        "10119",
        "Berlin",
        edition=Edition.BASIC,
        price_list="partner",
        mpn_id=True,
    ),
    Company(
        CEDAR,
        "Cedar Cloud",
        AccountKind.RESELLER,
        "Leopoldstrasse 10",
        "80802",
        "Muenchen",
        edition=Edition.BASIC,  # His plan makes it Standard.
        price_list="partner",
        mpn_id=True,
    ),
    Company("elm", "Elm Bakery", AccountKind.END_CUSTOMER, "Marktplatz 3", "50667", "Koeln", bill_to=CEDAR),
    Company("cedarlab", "Cedar Lab", AccountKind.AFFILIATE, "Leopoldstrasse 12", "80802", "Muenchen", bill_to=CEDAR),
    Company("hazel", "Hazel Dental", AccountKind.END_CUSTOMER, "Schillerstrasse 8", "10625", "Berlin", bill_to=BIRCH),
    Company("birchtest", "Birch Test Lab", AccountKind.AFFILIATE, "Torstrasse 51", "10119", "Berlin", bill_to=BIRCH),
    Company("fern", "Fern Analytics", AccountKind.PROSPECT, "Zeil 2", "60313", "Frankfurt"),
    Company(
        "gorse",
        "Gorse Shipping",
        AccountKind.DIRECT,
        "350 Fifth Avenue",
        "10118",
        "New York",
        country="US",
        phone="+1 212 5550100",
        currency="USD",
        price_list="retail_usd",
    ),
)

_TREES = (
    ("Acacia", "Foods"),
    ("Alder", "Engineering"),
    ("Aspen", "Travel"),
    ("Bamboo", "Media"),
    ("Beech", "Pharma"),
    ("Cherry", "Interiors"),
    ("Clover", "Farms"),
    ("Cypress", "Legal"),
    ("Ginkgo", "Biotech"),
    ("Hawthorn", "Estates"),
    ("Hemlock", "Security"),
    ("Holly", "Toys"),
    ("Ivy", "Schools"),
    ("Jasmine", "Cosmetics"),
    ("Juniper", "Spirits"),
    ("Larch", "Timber"),
    ("Laurel", "Consulting"),
    ("Lavender", "Hotels"),
    ("Linden", "Bank Services"),
    ("Magnolia", "Events"),
    ("Maple", "Sports"),
    ("Mulberry", "Textiles"),
    ("Myrtle", "Clinics"),
    ("Oak", "Insurance"),
    ("Olive", "Trading"),
    ("Poplar", "Print"),
    ("Rowan", "Energy"),
    ("Sequoia", "Capital"),
    ("Spruce", "Furniture"),
    ("Sycamore", "Software"),
    ("Willow", "Care"),
)
_KINDS = (
    (AccountKind.DIRECT, ""),
    (AccountKind.END_CUSTOMER, CEDAR),
    (AccountKind.END_CUSTOMER, BIRCH),
    (AccountKind.END_CUSTOMER, CEDAR),
    (AccountKind.AFFILIATE, CEDAR),
)
_CITIES = (("Stuttgart", "70173"), ("Leipzig", "04109"), ("Bremen", "28195"), ("Dresden", "01067"), ("Bonn", "53111"))


def others() -> list[Company]:
    """The rest of the demo's accounts, in turns of every kind."""
    rows = []
    for number, (tree, business) in enumerate(_TREES):
        kind, bill_to = _KINDS[number % len(_KINDS)]
        city, code = _CITIES[number % len(_CITIES)]
        rows.append(
            Company(
                key=tree.lower(),
                name=f"{tree} {business}",
                kind=kind,
                street=f"Hauptstrasse {number + 1}",
                postal_code=code,
                city=city,
                bill_to=bill_to,
                price_list="retail" if kind == AccountKind.DIRECT else "",
                credit=20_000,
            )
        )
    return rows
