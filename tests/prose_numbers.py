"""Where the numbers in the text come from that no cell near them shows.

For each chapter: the number as printed, and the Python expression whose value it is (rounded as
printed; `math` and NumPy names are known), or, for what is given and not computed (a premise of an
exercise, a section, a version), the word GIVEN with what it is. A number in the text that is
neither shown near it nor listed here fails tests/test_prose_numbers.py; so does one listed that
the text no longer has.
"""

from __future__ import annotations

GIVEN = "given: "
BOOK = GIVEN + "a section of the textbook"
VERSION = GIVEN + "a version of PyTorch"
PREMISE = GIVEN + "the premise of an exercise"
DIGITS = "64 * 64 + 64 + 64 * 10 + 10"  # the parameters of the digit reader

NUMBERS: dict[str, dict[str, str]] = {
    "index": {"3.11": GIVEN + "the oldest Python that pyproject.toml allows"},
    "00-notation": {"6.5": BOOK},
    "01-derivative": {
        "2.29": "exp(1) * sin(1)",
        "1.1": "2**-53 * 1e16",
        "660,000": "round((2.0**-24 / 2.0**-53) ** (2 / 3), -4)",
        "4,810": DIGITS,
        "9,620": f"2 * ({DIGITS})",
        "3.05": PREMISE,
        "9.9": "10 + (-2) * 0.05",
        "2.13": VERSION,
        "11.4441": GIVEN + "measured in float32 by the peer; test_chapter08_facts",
        "1.5": "sqrt(2.0**-52) * 1e8",
    },
    "02-chain-rule": {"6.5": BOOK},
    "03-graph": {
        "1.19089": "0.5 * (sin(1) + cos(1) + 1)",
        "1,048,576": "4**10",
        "152": "4 + 9 * 4**2 + 4",
    },
    "04-sweeps": {
        "5,100": "1 * (2 * 50 + 50 * 50 + 50 * 50)",
        "724": "4 * 50 * 2 + 2 * 50 * 3 + 4 * 2 * 3",
        "1,200": "3 * (4 * 50 + 50 * 2 + 2 * 50)",
        "1,400": "4 * (50 * 2 + 2 * 50 + 50 * 3)",
        "1.21": "0.7 * (0.3 * (sin(0.84) + 0.84 * cos(0.84)) + 2 * cos(0.84))",
        "4.07": "1.2 * (0.3 * (sin(0.84) + 0.84 * cos(0.84)) + 2 * cos(0.84)) + 2",
        "0.139": "0.04 * 4.0718 - 0.02 * 1.2086",
        "0.141": "0.3 * (0.84 * sin(0.84) - 0.8052 * sin(0.8052))"
        " + 2 * (sin(0.84) - sin(0.8052) + 0.04)",
    },
    "05-error-signal": {
        "4,810": DIGITS,
        "1.001": GIVEN + "the factor of the slip in the cell above",
        "1,797": "load_digits().target.size",
        "1,437": "load_digits().target.size * 4 // 5",
        "256": "4**4",
        "2.13": VERSION,
        "6.5": BOOK,
    },
    "06-softmax": {
        "0.69": "log(2)",
        "2.3": "log(10)",
        "0.000335": "exp(-8) / (1 + exp(-8))",
        "65,504": "float(finfo(float16).max)",
        "65504": "float(finfo(float16).max)",
        "1.8": "finfo(float).max / 1e308",
        "1,437": "load_digits().target.size * 4 // 5",
        "360": "load_digits().target.size - load_digits().target.size * 4 // 5",
        "0.125": "0.5 * 0.25",
        "0.625": "0.5 * 1.25",
        "0.23": "e / (e + 9)",
        "5.5": "log(float(finfo(float16).max)) / 2",
        "355": "log(finfo(float).max) / 2",
        "2.13": VERSION,
    },
    "07-learning": {
        "0.98": "(100 - 1) / (100 + 1)",
        "225": "5 * ceil(1437 / 32)",
        "97.5": PREMISE,
        "96.7": "97.5 - 100 * sqrt(0.975 * 0.025 / 360)",
        "0.15": PREMISE,
        "3.4": "4 - 0.15 * 4",
        "1.9": "1 + 0.9",
        "0.076": "2 * 1.9 / 50",
        "0.999": PREMISE,
        "3.162": "0.1 / sqrt(0.001)",
        "97": PREMISE,
        "0.97": PREMISE,
        "1164": "0.97 * 0.03 / 0.005**2",
        "29,100": "0.97 * 0.03 / 0.001**2",
        "2.13": VERSION,
    },
    "08-gradient-checks": {
        "7.6": "2**-17 * 1e6",
        "1.2": "2**-23 * 1e7",
        "0.33": "abs(2 - 1) / (2 + 1)",
        "1,482": "(64 + 1) * 16 + (16 + 1) * 16 + (16 + 1) * 10",
        "125,000": "round(1 / (sqrt(2 / pi) * 1e-5), -3)",
        "1024": PREMISE,
        "2.13": VERSION,
    },
    "12-data-types": {
        "65,504": "float(finfo(float16).max)",
        "1024": GIVEN + "the mantissas of a subnormal number, 2**10; and a batch of entries",
        "1421": "ceil(1 + log(2) / log1p(2.0**-11))",
        "4100": "round(2 * 2048, -2)",
        "4999": "5000 - 1",
        "59": "1 - 2048 / 5000",
        "16.8": "2**24 / 1e6",
        "360": "load_digits().target.size - load_digits().target.size * 4 // 5",
        "2.4": "2**-22 * 1e7",
        "256": "2**8",
        "16,777,216": "2**24",
        "2.13": VERSION,
    },
    "13-symbols": {
        "6144": "3 * 8 * 2**8",
        "62,914,560": "3 * 20 * 2**20",
        "157": "61 + 12 * 8",
        "998,000": "1000 * (1000 - 2)",
        "2,997": "3 * (1000 - 1)",
    },
    "14-curvature": {"4,810": DIGITS},
}
