"""The page and the README say what was measured, no more and no less."""

import json
import re

import pytest

from tests.bench import __main__ as bench
from tests.bench import report


@pytest.fixture(scope="module")
def measured():
    return report.load()


def test_the_page_is_the_measurement(measured):
    text = report.PAGE.read_text(encoding="utf-8")
    assert text == report.page(measured), "run: python -m tests.bench.report"


def test_the_readme_is_the_measurement(measured):
    text = report.README.read_text(encoding="utf-8")
    assert text == report.readme(measured, text), "run: python -m tests.bench.report"


def test_the_picture_is_of_this_measurement_and_light(measured, tmp_path):
    drawn = report.PICTURE.read_text(encoding="utf-8")
    assert len(drawn) < 40_000
    assert f"<!-- {report.digest(measured)} -->" in drawn, "run: python -m tests.bench.report"


def test_every_section_is_there_with_its_command(measured):
    text = report.page(measured)
    assert set(bench.SECTIONS) <= measured.keys()
    for section in bench.SECTIONS:
        assert f"$ make bench ARGS={section}\n" in text
    shown = {b.section for b in report.bars(measured)}
    assert shown == set(bench.SECTIONS)


def test_no_figure_is_read_from_anything_but_the_measurement(measured):
    """Another measurement gives another page: every ratio is moved, and every bar is missed."""

    def worse(x):
        if isinstance(x, dict):
            return {k: worse(v) for k, v in x.items()}
        if isinstance(x, list):
            return [worse(v) for v in x]
        return 9.0 * x if isinstance(x, float) else x

    other = worse(measured)
    for row in other["training"]:
        row["seconds"]["plan"] *= 9
    other["digits"]["plan"]["seconds"] *= 9
    other["leak"]["plan"]["kilobytes grown"] = 5000
    for method in ("plan", "segmented"):
        other["memory"][method]["bytes"] *= 9
    assert not any(b.met for b in report.bars(other))
    before = set(re.findall(r"\d+\.\d+", report.page(measured)))
    after = set(re.findall(r"\d+\.\d+", report.page(other)))
    goals = {"1.10", "1.05", "1.15", "1.08", "1.00", "1.2", "2.0", "3.5", "1.25", "0.05", "0.6"}
    text = {"0.999", "0.01"} | set(re.findall(r"\d+\.\d+", " ".join(measured["versions"].values())))
    counted = {f"{r['matrix products']:.2f}" for r in measured["hvp"]}
    assert len(before & after - goals - text - counted) < 0.1 * len(before)


def test_the_stored_measurement_names_no_machine(measured):
    text = report.RESULT.read_text(encoding="utf-8")
    assert not re.search(r"/(home|root|tmp|work|usr|Users)\b", text)
    assert set(measured["versions"]) >= {"numpy"}
    assert bench.rounded({"a": [0.123456789, "no /tmp/x file"]}) == {"a": [0.12346, "no … file"]}


def test_publishing_a_section_keeps_the_others(monkeypatch, tmp_path):
    path = tmp_path / "results" / "bench.json"
    monkeypatch.setattr(bench, "RESULT", path)
    monkeypatch.setattr(bench, "write", lambda: None)
    bench.publish({"quick": True, "leak": {"plan": 1}})
    bench.publish({"quick": False, "hvp": [2.0]})
    assert json.loads(path.read_text()) == {"quick": False, "leak": {"plan": 1}, "hvp": [2.0]}


def test_the_readme_needs_its_markers(measured):
    with pytest.raises(ValueError, match="must stand in it once each"):
        report.readme(measured, "no markers")
