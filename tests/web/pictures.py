"""Takes the pictures of docs/console.md anew: `python -m tests.web.pictures`, from the folder of the project."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.pipelines.pieces import ROOT, Bench
from tests.web.desk import COOKIE, Desk, lay_out
from tests.web.test_eyes import CHROMIUM, QUIET
from tests.web.visits import on_cause

PICTURES = ROOT / "docs" / "pictures"
SIZE = {"width": 900, "height": 860}


def main() -> None:
    """Lay a desk out, and take each picture."""
    folder = Path(shutil.copytree(ROOT / "config" / "example", Path(tempfile.mkdtemp()) / "site"))
    bench = Bench(folder)
    lay_out(bench, hostile=False)
    desk = Desk(bench)
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=QUIET)
            page = browser.new_page(viewport=SIZE)  # type: ignore[arg-type]
            for name, language, path in (
                ("where", "en", "/"), ("overview", "en", "/overview"), ("attention", "cy", "/attention"),
                ("cause", "en", on_cause()(bench)),
            ):  # fmt: skip
                cookies = {COOKIE: desk.secret, "dolen_language": language}
                page.context.add_cookies([{"name": n, "value": v, "url": desk.url} for n, v in cookies.items()])
                page.goto(desk.url + path)
                if name == "where":
                    page.fill("#reference", "C-3")
                    page.keyboard.press("Enter")
                    page.wait_for_selector(".dolen-sentence")
                page.evaluate("document.activeElement.blur()")
                page.screenshot(path=str(PICTURES / f"console-{name}.png"))
            browser.close()
    finally:
        desk.close()
        bench.end()


if __name__ == "__main__":
    main()
