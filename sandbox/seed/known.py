"""What the seed knows about single products: ids, invented prices in US dollars, descriptions, parents, software."""

from typing import Any

# Ids of Microsoft's documentation samples; all others are made from the product's name.
IDS = {
    "Microsoft 365 Business Basic": "CFQ7TTC0LH18",
    "Microsoft 365 Business Standard": "CFQ7TTC0LDPB",
    "Microsoft 365 Business Premium": "CFQ7TTC0LCHC",
    "Microsoft 365 E3": "CFQ7TTC0LFLX",
    "Microsoft 365 E5": "CFQ7TTC0LFLZ",
    "Exchange Online (Plan 1)": "CFQ7TTC0LH16",
    "Power BI Pro": "CFQ7TTC0HL8W",
    "Visio Plan 1": "CFQ7TTC0HD33",
}
PRICES = {
    "Microsoft 365 Business Basic": "6.00",
    "Microsoft 365 Business Standard": "12.50",
    "Microsoft 365 Business Premium": "22.00",
    "Microsoft 365 Apps for Business": "8.25",
    "Microsoft 365 Apps for Enterprise": "12.00",
    "Microsoft 365 E3": "36.00",
    "Microsoft 365 E5": "57.00",
    "Microsoft 365 F1": "2.25",
    "Microsoft 365 F3": "8.00",
    "Office 365 E1": "10.00",
    "Office 365 E3": "23.00",
    "Office 365 E5": "38.00",
    "Exchange Online (Plan 1)": "4.00",
    "Exchange Online (Plan 2)": "8.00",
    "Exchange Online Kiosk": "2.00",
    "Power BI Pro": "10.00",
    "Power BI Premium Per User": "20.00",
    "Power BI Premium P1": "4995.00",
    "Visio Plan 1": "5.00",
    "Visio Plan 2": "15.00",
    "Project Plan 1": "10.00",
    "Project Plan 3": "30.00",
    "Enterprise Mobility + Security E3": "10.60",
    "Enterprise Mobility + Security E5": "16.40",
    "Dynamics 365 Business Central Essentials": "70.00",
    "Dynamics 365 Business Central Premium": "100.00",
    "Dynamics 365 Business Central Team Members": "8.00",
    "Microsoft Teams Essentials": "4.00",
    "Microsoft 365 Audio Conferencing": "4.00",
    "Microsoft Teams Phone Standard": "8.00",
}
PRICE_WORDS = (
    ("for students", "2.00"), ("student", "2.00"), ("for faculty", "3.50"), ("faculty", "3.50"),
    ("additional environment", "40.00"), ("capacity", "40.00"), ("sandbox", "900.00"), ("finance", "180.00"),
    ("supply chain", "180.00"), ("sales premium", "135.00"), ("customer insights", "1500.00"), ("attach", "20.00"),
    ("dynamics 365", "65.00"), ("power apps portals", "75.00"), ("unattended", "150.00"), ("per flow", "100.00"),
    ("per user", "15.00"), ("subject rights", "120.00"), ("e5", "12.00"), ("teams rooms pro", "40.00"),
    ("premium", "10.00"), ("defender", "3.00"), ("calling plan", "12.00"), ("phone", "8.00"), ("storage", "0.20"),
)  # fmt: skip
DESCRIPTION = "A subscription to a Microsoft cloud service, licensed per user."
DESCRIPTIONS = {
    "Microsoft 365 Business Basic": "Professional e-mail, cloud file storage and online meetings for small firms; the "
    "Office apps in the browser and on phones. For up to 300 users.",
    "Microsoft 365 Business Standard": "The desktop Office apps with e-mail, cloud file storage and online meetings. "
    "For firms of up to 300 users.",
    "Microsoft 365 Business Premium": "Business Standard with device management and protection against threats. For "
    "firms of up to 300 users.",
    "Microsoft 365 E3": "Office apps, e-mail, meetings, Windows Enterprise and core security and compliance for large "
    "organizations.",
    "Microsoft 365 E5": "Everything in E3, with advanced security and compliance, analytics and a phone system.",
    "Exchange Online (Plan 1)": "Business e-mail, calendars and contacts with a mailbox of 50 GB.",
    "Power BI Pro": "Build, share and discuss reports and dashboards with colleagues.",
    "Visio Plan 2": "Draw diagrams in the browser and with the desktop app, with data behind the shapes.",
    "Project Plan 3": "Plan and run projects in the browser and with the desktop app, with resources and budgets.",
}
DESCRIPTION_WORDS = (
    ("windows 365", "A personal Windows desktop in the cloud, with the processors, memory and disk in its name."),
    ("dynamics 365", "Business applications in the cloud, licensed per user or tenant."),
    ("power bi", "Reports and dashboards from the organization's data."),
    ("power apps", "Build and run business apps without much code."),
    ("power automate", "Automate processes with flows."),
    ("visio", "Diagrams in the browser and on the desktop."),
    ("project", "Plan and follow projects."),
    ("teams", "Chat, meetings, calls and shared rooms."),
    ("exchange", "E-mail, calendars and contacts in the cloud."),
    ("sharepoint", "Intranet sites and shared documents."),
    ("onedrive", "Files in the cloud, synchronized to every device."),
    ("defender", "Protection of users, devices and mail against attacks."),
    ("privacy management", "Find and reduce privacy risks, answer requests of data subjects."),
    ("intune", "Manage devices and apps from the cloud."),
    ("azure active directory", "Identities, single sign-on and conditional access."),
    ("windows 10/11", "Windows for organizations, licensed per user."),
    ("microsoft 365", "Productivity, security and management for organizations, licensed per user."),
    ("office 365", "Office in the cloud with e-mail and meetings, licensed per user."),
)
# Add-on words -> products they are sold on top of; the last row is for all others.
PARENTS = (
    ("power bi", ("Power BI Pro", "Microsoft 365 E5")),
    ("business central", ("Dynamics 365 Business Central Essentials", "Dynamics 365 Business Central Premium")),
    ("attach", ("Dynamics 365 Finance", "Dynamics 365 for Supply Chain Management", "Dynamics 365 Sales Premium")),
    ("marketing", ("Dynamics 365 for Marketing USL", "Dynamics 365 for Marketing Business Edition")),
    ("dynamics 365", ("Dynamics 365 Finance", "Dynamics 365 for Supply Chain Management")),
    ("sensor data", ("Dynamics 365 for Supply Chain Management",)),
    ("power apps", ("Power Apps per user plan", "Power Apps per app plan")),
    ("common data service", ("Power Apps per user plan", "Dynamics 365 Finance")),
    ("f5", ("Microsoft 365 F1", "Microsoft 365 F3")),
    ("suite features for faculty", ("Microsoft 365 A3 for Faculty",)),
    ("calling plan", ("Microsoft Teams Phone Standard", "Microsoft 365 E5")),
    ("(120 minutes)", ("Microsoft Teams Phone Standard", "Microsoft 365 E5")),
    (
        "",
        (
            "Microsoft 365 Business Basic", "Microsoft 365 Business Standard", "Microsoft 365 Business Premium",
            "Microsoft 365 E3", "Microsoft 365 E5", "Office 365 E1", "Office 365 E3", "Office 365 E5",
            "Exchange Online (Plan 1)", "Exchange Online (Plan 2)",
        ),
    ),
)  # fmt: skip
BASES = {"Microsoft Teams Essentials", "Microsoft Teams Phone Standard", "Teams Phone with Calling Plan"}
IN_EVERY_SEGMENT = {
    "Power BI Pro",
    "Visio Plan 2",
    "Project Plan 3",
    "Microsoft Intune Suite",
    "Exchange Online (Plan 1)",
}
THREE_YEARS = {
    "Microsoft 365 E3", "Microsoft 365 E5", "Office 365 E3", "Office 365 E5", "Power BI Pro",
    "Enterprise Mobility + Security E3", "Dynamics 365 Business Central Essentials",
    "Dynamics 365 Business Central Premium", "Dynamics 365 Finance",
}  # fmt: skip
TRIALS = {
    "Microsoft 365 Business Basic", "Microsoft 365 Business Standard", "Microsoft 365 Business Premium",
    "Microsoft 365 E3", "Microsoft 365 E5", "Power BI Pro", "Visio Plan 2", "Project Plan 3",
}  # fmt: skip
# Sold only against the attestation that the devices are licensed for Windows already.
ATTESTED = {"Windows 365 Business 4 vCPU 16 GB 128 GB (with Windows Hybrid Benefit)"}
MINIMA = {"Dynamics 365 Finance": 20, "Dynamics 365 for Supply Chain Management": 20, "Power BI Premium P1": 1}
UPGRADES = {
    "Microsoft 365 Business Basic": (
        "Microsoft 365 Business Standard", "Microsoft 365 Business Premium", "Microsoft 365 E3", "Microsoft 365 E5",
    ),
    "Microsoft 365 Business Standard": ("Microsoft 365 Business Premium", "Microsoft 365 E3", "Microsoft 365 E5"),
    "Microsoft 365 Business Premium": ("Microsoft 365 E3", "Microsoft 365 E5"),
    "Microsoft 365 E3": ("Microsoft 365 E5",),
    "Office 365 E1": ("Office 365 E3", "Office 365 E5", "Microsoft 365 E3"),
    "Office 365 E3": ("Office 365 E5", "Microsoft 365 E3", "Microsoft 365 E5"),
    "Exchange Online (Plan 1)": ("Exchange Online (Plan 2)", "Microsoft 365 Business Basic"),
    "Visio Plan 1": ("Visio Plan 2",),
    "Project Plan 1": ("Project Plan 3",),
}  # fmt: skip
ONCE = [["", "OneTime"]]
YEARS = [["P1Y", "OneTime"], ["P3Y", "OneTime"]]


def _software(title: str, price: str, terms: list[list[str]], unit: str) -> dict[str, Any]:
    what = "Subscribed" if terms[0][0] else "Perpetual"
    return {
        "title": title,
        "description": f"{what} licence, {unit}.",
        "type": "Software",
        "view": "Software",
        "skus": [{"title": title, "terms": terms, "price": price}],
    }


OTHERS: tuple[dict[str, Any], ...] = (
    {
        "id": "DZH318Z0BPS6",
        "title": "Azure plan",
        "description": "Pay for what is used of Azure, monthly in arrears.",
        "type": "Azure",
        "view": "MicrosoftAzure",
        "skus": [
            {"title": "Azure plan", "max": 1, "terms": [["P1M", "Monthly"]], "price": "0", "usage": True},
        ],
    },
    {
        "title": "Reserved VM Instance, Dsv5 Series",
        "description": "Virtual machines reserved for one or three years at a lower price.",
        "type": "Azure",
        "view": "AzureReservationsVM",
        "subType": "VirtualMachines",
        "skus": [
            {"title": "Reserved VM Instance, Standard_D2s_v5, EU West", "terms": YEARS, "price": "53.00",
             "inventory": True},
            {"title": "Reserved VM Instance, Standard_D4s_v5, EU West", "terms": YEARS, "price": "106.00",
             "inventory": True},
        ],
    },
    _software("Windows Server 2022 Standard - 16 Core License Pack", "1069.00", ONCE, "16 cores"),
    _software("Windows Server 2022 Datacenter - 16 Core License Pack", "6155.00", ONCE, "16 cores"),
    _software("Windows Server 2022 - 1 User CAL", "45.00", ONCE, "one user"),
    _software("Windows Server 2022 Remote Desktop Services - 1 User CAL", "143.00", ONCE, "one user"),
    _software("SQL Server 2022 Standard - 2 Core License Pack", "3945.00", ONCE, "two cores"),
    _software("SQL Server 2022 - 1 User CAL", "230.00", ONCE, "one user"),
    _software("Office LTSC Standard 2024", "420.00", ONCE, "one device"),
    _software("Office LTSC Professional Plus 2024", "580.00", ONCE, "one device"),
    _software("Visio LTSC Standard 2024", "310.00", ONCE, "one device"),
    _software("Project Standard 2024", "680.00", ONCE, "one device"),
    _software("Windows 11 Pro Upgrade", "199.00", ONCE, "one device"),
    _software("Exchange Server Standard 2019", "706.00", ONCE, "one server"),
    _software("Windows Server CAL - 1 User subscription", "1.60", YEARS, "one user"),
    _software("Windows Server Standard - 8 Core subscription", "17.00", YEARS, "eight cores"),
    _software("SQL Server Standard - 2 Core subscription", "119.00", YEARS, "two cores"),
)  # fmt: skip
