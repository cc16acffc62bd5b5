"""Invented names for the people and businesses of a seeded company."""

import random
from collections.abc import Iterator

CUSTOMERS = (
    ("Acorn Bakery Ltd", "ap@acorn.example", "GBP", "Active"),
    ("Birchwood Builders Limited", "accounts@birchwood.example", "GBP", "Active"),
    ("Schröder & Grüber GmbH", "rechnung@sg.example", "EUR", "Active"),
    ("O'Brien, Dunne & Co", "finance@obrien.example", "EUR", "Active"),
    ("Dupré Médias SARL", "compta@dupre.example", "EUR", "Active"),
    ('Castleton "The Mill" Hotels plc', "ledger@castleton.example", "GBP", "Active"),
    ("Glenmore Imports Inc.", "billing@glenmore.example", "USD", "Active"),
    ("Zieliński Sp. z o.o.", "faktury@zielinski.example", "EUR", "Active"),
    ("Riverside Dental", "desk@riverside.example", "GBP", "Active"),
    ("University of Uppsala", "faktura@uu.example", "EUR", "Active"),
    ("Acorn Bakery (Leeds) Ltd", "leeds@acorn.example", "GBP", "Active"),
    ("Riverside Dental Practice", "accounts@riverside-practice.example", "GBP", "Active"),
    ("Schroeder und Grueber GmbH", "alt@sg.example", "EUR", "Archived"),
    ("Birchwood Builders Ltd", "old@birchwood.example", "GBP", "Archived"),
    ("O'Brien Dunne and Company", "former@obrien.example", "GBP", "Archived"),
)
"""(name, mail, default currency, status): ten customers to bill, near-duplicates, and some no longer used."""

SUPPLIERS = (
    ("Brightcard Payments Europe Ltd", "fees@brightcard.example", "Active"),
    ("Barlow Bank plc", "charges@barlow.example", "Active"),
    ("Hartley Paper Supplies", "orders@hartley.example", "Active"),
    ("Meadow Lane Properties", "rent@meadowlane.example", "Active"),
    ("Old Post Couriers", "closed@oldpost.example", "Archived"),
)
"""(name, mail, status); the first two charge fees."""

_FIRST = (
    "Alder Amber Beacon Blackthorn Bramley Calder Cedar Cobalt Corner Dales Eastgate Ember Fairfield Falcon Fern "
    "Granite Harbour Hawthorn Heath Ivory Juniper Kestrel Larch Linden Maple Marlow Meridian Northgate Oakham Orchard "
    "Pennine Quarry Ridgeway Rowan Sable Seaton Sterling Summit Tamar Thistle Union Vale Wharf Willow Yarrow"
).split()
_TRADE = (
    "Architects Bakery Bikes Books Brewing Carpentry Catering Ceramics Cleaning Coffee Consulting Dental Design "
    "Electrical Engineering Events Farms Fitness Flooring Florists Foods Garage Glass Homes Interiors Joinery "
    "Landscapes Law Logistics Marine Media Motors Optics Packaging Pharmacy Plumbing Print Roofing Stores Studio "
    "Systems Textiles Timber Tools Travel Vets"
).split()
_FORM = ("Ltd", "Limited", "LLP", "plc", "& Sons", "& Co", "Group")
_ABROAD = {"EUR": ("GmbH", "SARL", "B.V.", "S.r.l."), "USD": ("Inc.", "LLC", "Corp.")}


def more_customers(rng: random.Random, count: int) -> Iterator[tuple[str, str, str, str]]:
    """Give any number of further customers, each name once: (name, mail, currency, status)."""
    for index in range(count):
        first, trade = _FIRST[index % len(_FIRST)], _TRADE[(index // len(_FIRST) + index) % len(_TRADE)]
        round_trip = index // (len(_FIRST) * len(_TRADE))
        currency = rng.choices(("GBP", "EUR", "USD"), (8, 1, 1))[0]
        form = rng.choice(_ABROAD.get(currency, _FORM))
        name = f"{first} {trade} {form}" + (f" {index}" if index >= len(_FIRST) * len(_TRADE) // 47 else "")
        mail = f"accounts@{first.lower()}-{trade.lower()}{round_trip or ''}.example"
        yield name, mail, currency, "Archived" if rng.random() < 0.03 else "Active"


STREETS = ("High Street", "Mill Lane", "Station Road", "Church Walk", "Market Place", "Quay Street")
TOWNS = (
    ("Leeds", "LS1 4AP"),
    ("Bristol", "BS1 5TR"),
    ("Norwich", "NR2 1TF"),
    ("York", "YO1 7HH"),
    ("Exeter", "EX4 3PL"),
)
