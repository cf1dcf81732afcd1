"""The page in a real browser, opened from disk."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.report import ReportData, render_all

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
QUIET = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--enable-logging=stderr",
)


def browse(page: Path, profile: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Opens a page from disk; the browser's console goes to stderr."""
    assert BROWSER is not None
    return subprocess.run(
        [BROWSER, *QUIET, f"--user-data-dir={profile}", *options, page.as_uri()],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip


def console(output: str) -> list[str]:
    """Messages of the page, out of everything a browser logs."""
    return [line for line in output.splitlines() if "CONSOLE" in line]


@pytest.mark.slow
@pytest.mark.skipif(BROWSER is None, reason="no Chromium on this machine")
def test_the_page_opens_without_console_errors(
    make_report: Callable[..., ReportData], tmp_path: Path
) -> None:
    names = ("<script>console.error('ran')</script>", '"><img src=x onerror=console.error(1)>', "$x^2$")
    render_all(make_report(class_names=names, notes=names), tmp_path)
    seen = browse(tmp_path / "report.html", tmp_path / "profile", "--dump-dom")
    assert console(seen.stderr) == []
    assert "&lt;script&gt;console.error('ran')&lt;/script&gt;" in seen.stdout
    assert seen.stdout.count("<svg") == 8 + 3 + 3 + 1  # windows, maps, histograms, training


@pytest.mark.slow
@pytest.mark.skipif(BROWSER is None, reason="no Chromium on this machine")
def test_a_console_error_would_be_seen(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text("<script>console.error('broken')</script>")
    assert "broken" in console(browse(page, tmp_path / "profile", "--dump-dom").stderr)[0]


@pytest.mark.slow
@pytest.mark.skipif(BROWSER is None, reason="no Chromium on this machine")
def test_the_page_is_not_wider_than_a_telephone(
    make_report: Callable[..., ReportData], tmp_path: Path
) -> None:
    """A frame of 400 px around the page tells its width by way of a script in the outer page."""
    render_all(make_report(class_names=("a very long class name " * 3, "b", "c")), tmp_path)
    outer = tmp_path / "outer.html"
    outer.write_text(
        "<iframe id=f src=report.html style='width:400px;height:900px'></iframe><script>"
        "f.onload = () => { document.title = f.contentDocument.documentElement.scrollWidth }</script>"
    )
    seen = browse(outer, tmp_path / "profile", "--dump-dom", "--allow-file-access-from-files")
    width = int(seen.stdout.split("<title>")[1].split("</title>")[0])
    assert 300 < width <= 400
