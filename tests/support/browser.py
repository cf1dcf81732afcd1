"""Open a page of ours from disk in a headless Chromium, on a telephone's width."""

import shutil
import subprocess
from pathlib import Path

BROWSER = shutil.which("chromium")


def width_on_a_telephone(page: str, folder: Path) -> int:
    """Pixels the page needs in a frame of 400; fails where its console says anything."""
    assert BROWSER is not None
    (folder / "page.html").write_text(page)
    outer = folder / "outer.html"
    outer.write_text(
        "<iframe id=f src=page.html style='width:400px;height:900px'></iframe><script>"
        "f.onload = () => { document.title = f.contentDocument.documentElement.scrollWidth }</script>"
    )
    seen = subprocess.run(
        [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
         "--enable-logging=stderr", f"--user-data-dir={folder / 'profile'}", "--dump-dom",
         "--allow-file-access-from-files", outer.as_uri()],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    assert [line for line in seen.stderr.splitlines() if "CONSOLE" in line] == []
    return int(seen.stdout.split("<title>")[1].split("</title>")[0])
