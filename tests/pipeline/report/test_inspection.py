"""The page of `pipeline inspect --html`."""

import dataclasses
from html.parser import HTMLParser
from pathlib import Path

import pytest
from browser import BROWSER, width_on_a_telephone

from converters.findings import Finding
from converters.findings.memory import Memory
from converters.inspection import Inspection
from converters.summary import LstmSummary, ModelSummary, OpSummary, SignatureSummary, TensorSummary
from pipeline.report.inspection import render

BAD = "<script>console.error('ran')</script>"
TENSOR = TensorSummary(BAD, "int8", (1, 29, 12), (0.5, 0.25), (0, 0))
INSPECTION = Inspection(
    summary=ModelSummary(
        size_bytes=2048, weight_bytes=1024, description=BAD, subgraphs=1, inputs=(TENSOR,), outputs=(TENSOR,),
        signatures=(SignatureSummary(BAD, (BAD,), (BAD,)),), ops=(OpSummary(BAD, 3, ("int8",), 512),),
        lstms=(LstmSummary(BAD, "int8 8x8_16", 64, 12, 29, 10.0, (("input", TENSOR),)),),
        fused=True, integer_only=True, state_rule="", metadata={"class_names": [BAD]}, other_metadata=(),
    ),
    memory=Memory(4000, "tensors"),
    measured_on="16 seeded inputs",
    findings=(
        Finding("lstm-state-scales", "error", BAD, f"Untied {BAD}.", "Tie them."),
        Finding("softmax-steps", "warning", "", "Long.", "Shorten."),
        Finding("state-kept", "info", "", "Kept.", ""),
    ),
)  # fmt: skip


class Tags(HTMLParser):
    """Which tags a page has, and which addresses it names."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.names: list[str] = []
        self.addresses: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href")]


def test_what_was_found_is_on_the_page() -> None:
    page = render("stock.tflite", INSPECTION)
    for text in (
        "<h1>stock.tflite</h1>", "✗ 1 error", "1 warning, 1 info", "Measured on 16 seeded inputs",
        "<code>lstm-state-scales</code>", "Tie them.", "4.0 kB", "at least, computed from the tensors",
        "0.25 … 0.5", "1 \u00d7 29 \u00d7 12", "cell clip 10",
    ):  # fmt: skip
        assert text in page
    assert page.count('<article class="finding') == 3


def test_a_file_without_findings() -> None:
    clean = dataclasses.replace(INSPECTION, findings=(), measured_on="", memory=Memory(1, "interpreter"))
    page = render("m.tflite", clean)
    assert "✓ no errors" in page
    assert "The file was not run." in page
    assert "<article" not in page


def test_names_are_text_and_nothing_is_fetched() -> None:
    page = render(BAD, INSPECTION)
    tags = Tags(page)
    assert "script" not in tags.names
    assert page.count("&lt;script&gt;") >= 10
    assert "default-src 'none'" in page
    assert all(address.startswith(("#", "data:")) for address in tags.addresses)


@pytest.mark.slow
@pytest.mark.skipif(BROWSER is None, reason="no Chromium on this machine")
def test_the_page_opens_without_console_errors_and_fits_a_telephone(tmp_path: Path) -> None:
    assert 300 < width_on_a_telephone(render(BAD, INSPECTION), tmp_path) <= 400
