"""The products of a seeded store."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from itertools import product as combinations
from random import Random

from tools.retail.schemas import Product, Variant

__all__ = ["make_products"]

_VARIANTS_PER_PRODUCT = 12
_AVAILABLE = 0.8

# Name, lowest and highest price in dollars, and the options: "name: choice, choice; name: choice, choice".
_WARES = """
Alarm Clock       | 15 60   | display: analog, LED; color: black, white, mint; power: battery, mains
Baking Tray       | 8 35    | size: small, medium, large; coating: enamel, ceramic, steel
Beanie            | 12 40   | color: gray, navy, mustard, red; material: wool, cotton; size: S/M, L/XL
Bedside Table     | 60 220  | wood: oak, pine, walnut; drawers: 1, 2; finish: oiled, lacquered
Board Game        | 18 75   | players: 2, 2-4, 3-6; language: English, Spanish; length: short, long
Camping Stove     | 35 140  | burners: 1, 2, 3; fuel: gas, spirit; ignition: match, piezo
Cutting Board     | 14 70   | wood: beech, bamboo, acacia; size: S, M, L; groove: yes, no
Desk Fan          | 25 120  | blades: 3, 5; speed: 3 steps, stepless; color: white, black, copper
Door Mat          | 10 45   | material: coir, rubber; size: 40x60, 60x90; pattern: plain, striped, dots
Fountain Pen      | 20 160  | nib: F, M, B; body: resin, steel, wood; ink: blue, black
Frying Pan        | 22 110  | diameter: 20 cm, 24 cm, 28 cm; coating: ceramic, cast iron, steel; lid: yes, no
Hammock           | 40 150  | length: single, double; material: cotton, nylon; color: sand, green, blue
Hand Blender      | 28 130  | power: 600 W, 800 W, 1000 W; attachments: 1, 3; color: white, red
Kite              | 16 80   | shape: delta, diamond, box; span: 100 cm, 140 cm; lines: 1, 2
Laundry Basket    | 14 60   | material: rattan, felt, plastic; volume: 40 l, 60 l; lid: yes, no
Picnic Blanket    | 18 65   | size: 150x200, 200x200; color: checked, green, blue; backing: foil, none
Pocket Knife      | 20 95   | tools: 4, 8, 14; scales: wood, horn, steel; lock: yes, no
Rain Jacket       | 55 210  | size: S, M, L, XL; color: yellow, navy, black; cut: straight, fitted
Reading Lamp      | 24 115  | mount: clamp, foot; light: warm, neutral; color: black, white, brass
Scarf             | 15 85   | material: wool, silk, cotton; color: plum, gray, teal; length: 150 cm, 200 cm
Sleeping Bag      | 60 260  | season: summer, three seasons, winter; filling: down, synthetic; zip: left, right
Soup Bowl         | 6 28    | glaze: white, blue, speckled; volume: 400 ml, 600 ml; handle: yes, no
Tool Box          | 30 135  | material: steel, plastic; trays: 1, 3, 5; wheels: yes, no
Umbrella          | 12 58   | size: folding, long; color: black, red, clear; opening: manual, automatic
Watering Can      | 9 48    | volume: 2 l, 5 l, 10 l; material: zinc, plastic; rose: fine, coarse
Wool Blanket      | 45 190  | size: 130x170, 150x200; weave: plain, herringbone; color: cream, gray, rust
"""


def make_products() -> list[Product]:
    """Return all products with their variants, the same ones every time."""
    random = Random(1)  # noqa: S311 (nothing here is a secret)
    lines = _WARES.strip().splitlines()
    # One draw for products and items together: a product id is never an item id.
    ids = iter(random.sample(range(10**9, 10**10), len(lines) * (_VARIANTS_PER_PRODUCT + 1)))
    return [_product(line, map(str, ids), random) for line in lines]


def _product(line: str, ids: Iterator[str], random: Random) -> Product:
    name, prices, options = (part.strip() for part in line.split("|"))
    low, high = (int(price) * 100 for price in prices.split())
    choices = _option_sets(options)
    return Product(
        name=name,
        product_id=next(ids),
        variants={
            variant.item_id: variant
            for variant in (
                Variant(
                    item_id=next(ids),
                    options=chosen,
                    available=random.random() < _AVAILABLE,
                    price=Decimal(random.randint(low, high)).scaleb(-2),
                )
                for chosen in random.sample(choices, min(len(choices), _VARIANTS_PER_PRODUCT))
            )
        },
    )


def _option_sets(text: str) -> list[dict[str, str]]:
    axes = [axis.split(": ") for axis in text.split("; ")]
    values = combinations(*(choices.split(", ") for _, choices in axes))
    return [dict(zip((name for name, _ in axes), chosen, strict=True)) for chosen in values]
