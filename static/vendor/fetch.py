"""Bring the vendored browser assets in, from the packages that `packages.json` pins, and check them.

Run `python static/vendor/fetch.py` after changing a version or the list of icons, and commit what it writes.
It uses the ordinary npm client. `--pin` accepts what was fetched and writes its digests into `packages.json`.
"""

import argparse
import hashlib
import json
import re
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
MANIFEST = HERE / "packages.json"
CHARTS = """
import { use, init } from "echarts/core";
import { BarChart, LineChart, PieChart, FunnelChart } from "echarts/charts";
import { GridComponent, LegendComponent, TooltipComponent } from "echarts/components";
import { SVGRenderer } from "echarts/renderers";
use([BarChart, LineChart, PieChart, FunnelChart]);
use([GridComponent, LegendComponent, TooltipComponent, SVGRenderer]);
export { init };
"""
REGION = re.compile(r'^\s+(\d{6}): "([^"]+)"', re.M)
LEFT_OUT = {
    "echarts/lib/component/tooltip/TooltipHTMLContent.js": "export default class {}",
    "echarts/lib/theme/dark.js": "export default {};",
    "echarts/lib/i18n/langZH.js": 'export { default } from "./langEN.js";',
    "echarts/lib/preprocessor/backwardCompat.js": "export default () => {};",
    "echarts/lib/util/decal.js": "export const createOrUpdatePatternFromDecal = () => null;",
    "echarts/lib/processor/dataSample.js": "export default (seriesType) => ({ seriesType, reset() {} });",
    "echarts/lib/loading/default.js": "export default () => {};",
    "echarts/lib/legacy/dataSelectAction.js": (
        "export const createLegacyDataSelectAction = () => {}; export const handleLegacySelectEvents = () => {};"
    ),
    "echarts/lib/data/helper/transform.js": (
        "export class ExternalSource {} export const registerExternalTransform = () => {}; "
        "export const applyDataTransform = () => [];"
    ),
    "echarts/lib/scale/Time.js": "export default class {} export const calcNiceForTimeScale = () => {};",
    "echarts/lib/scale/Log.js": "export default class {}",
    "zrender/lib/graphic/IncrementalDisplayable.js": "export default class {}",
    "zrender/lib/core/timsort.js": (
        "export default (list, compare, low = 0, high = list.length) => "
        "list.slice(low, high).sort(compare).forEach((item, place) => (list[low + place] = item));"
    ),
    "zrender/lib/svg/cssAnimation.js": (
        "export const EASING_MAP = {}, ANIMATE_STYLE_MAP = {}; export const createCSSAnimation = () => {};"
    ),
    "zrender/lib/svg/cssEmphasis.js": "export const createCSSEmphasis = () => {};",
}
"""Modules that our charts never reach (HTML tooltips, canvas, time axes, sampling, old options) or that browsers
have built in by now (a stable sort), with what stands in their place: a dashboard's first page has 250 kB."""
BUNDLER, SHRINKER = "esbuild@0.28.2", "terser@5.51.4"
SVG = re.compile(r"<svg[^>]*>(.*)</svg>", re.DOTALL)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--pin", action="store_true", help="accept what is fetched and pin its digest")
    pin = arguments.parse_args().pin
    manifest = json.loads(MANIFEST.read_text("utf-8"))
    with tempfile.TemporaryDirectory() as folder:
        for name, package in manifest["packages"].items():
            archive = pack(name, Path(folder))
            package["sha256"] = checked(name, archive, package["sha256"], pin)
            place(name, package, unpacked(archive), manifest["icons"])
    MANIFEST.write_text(pretty(manifest), "utf-8")
    (HERE / "README.md").write_text(readme(manifest["packages"]), "utf-8")


def pack(name: str, folder: Path) -> Path:
    said = subprocess.run(
        ["npm", "pack", "--silent", name], cwd=folder, check=True, capture_output=True, text=True
    )
    return folder / said.stdout.strip().splitlines()[-1]


def checked(name: str, archive: Path, pinned: str, pin: bool) -> str:
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    if not pin and digest != pinned:
        raise SystemExit(f"{name} is not what was pinned: {digest}. Look at it, then run again with --pin.")
    return digest


def unpacked(archive: Path) -> Path:
    target = archive.with_suffix("")
    with tarfile.open(archive) as packed:
        packed.extractall(target, filter="data")
    return next(target.iterdir())


def place(name: str, package: dict[str, Any], source: Path, icons: dict[str, str]) -> None:
    licences = HERE / "licences"
    licences.mkdir(exist_ok=True)
    shutil.copyfile(next(source.glob("LICENSE*")), licences / f"{name.rsplit('@', 1)[0].replace('/', '+')}.txt")
    for inside, outside in package.get("files", {}).items():
        target = (HERE / outside).resolve()
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(without_map(source.joinpath(inside).read_text("utf-8")), "utf-8")
    if "bundle" in package:
        (HERE / package["bundle"]).write_text(charts(name, source.parent.parent), "utf-8")
    if "regions" in package:
        (HERE / package["regions"]["to"]).write_text(regions(name, source / package["regions"]["from"]), "utf-8")
    if "sprite" in package:
        (HERE / package["sprite"]).write_text(sprite(source / "icons", icons), "utf-8")


def without_map(text: str) -> str:
    """Source maps are not shipped; a browser must not ask for them."""
    return re.sub(r"\n(//|/\*)# sourceMappingURL=\S+\s*$", "\n", text)


def charts(name: str, folder: Path) -> str:
    """The parts of ECharts that the dashboard widgets draw with, as one module."""
    room = folder / "charts"
    room.mkdir()
    (room / "charts.js").write_text(CHARTS, "utf-8")
    (room / "package.json").write_text('{"private": true}', "utf-8")
    npm = shutil.which("npm") or "npm"
    subprocess.run(
        [npm, "install", "--silent", "--no-audit", "--no-fund", name, BUNDLER, SHRINKER], cwd=room, check=True
    )
    for module, text in LEFT_OUT.items():
        path = room / "node_modules" / module
        assert path.exists(), module
        path.write_text(text, "utf-8")
    whole, built = room / "whole.js", room / "echarts.min.js"
    subprocess.run(
        ["node_modules/.bin/esbuild", "charts.js", "--bundle", "--minify", "--format=esm", "--target=es2022",
         "--legal-comments=none", '--define:process.env.NODE_ENV="production"', f"--outfile={whole}"],
        cwd=room, check=True, capture_output=True,
    )  # fmt: skip
    subprocess.run(
        ["node_modules/.bin/terser", str(whole), "--module", "--compress", "passes=3", "--mangle", "-o", str(built)],
        cwd=room, check=True, capture_output=True,
    )  # fmt: skip
    return f"/* {name}, Apache-2.0; built from its modules by fetch.py */\n" + built.read_text("utf-8")


def regions(name: str, file: Path) -> str:
    """Provinces, cities and districts by code, one to a line, as a Python module: `schemas/` reads no files."""
    found = {int(code): json.loads(f'"{title}"') for code, title in REGION.findall(file.read_text("utf-8"))}
    lines = "\n".join(f"{code}{title}" for code, title in sorted(found.items()))
    return f'"""China\'s divisions by code (GB/T 2260), from {name} (MIT); written by static/vendor/fetch.py."""\n\nDIVISIONS = """\n{lines}\n"""\n'


def sprite(folder: Path, icons: dict[str, str]) -> str:
    """One SVG with a symbol per name that Mortise uses; two names may share a drawing."""
    missing = sorted(drawing for drawing in icons.values() if not (folder / f"{drawing}.svg").exists())
    if missing:
        raise SystemExit(f"No such icons: {', '.join(missing)}")
    symbols = [
        symbol(name, (folder / f"{drawing}.svg").read_text("utf-8")) for name, drawing in icons.items()
    ]
    return '<svg xmlns="http://www.w3.org/2000/svg">\n' + "\n".join(symbols) + "\n</svg>\n"


def symbol(name: str, svg: str) -> str:
    found = SVG.search(svg)
    assert found, name
    drawing = " ".join(found[1].split())
    return f'<symbol id="{name}" viewBox="0 0 24 24">{drawing}</symbol>'


def outputs(package: dict[str, Any]) -> list[str]:
    """The files a package is kept as, relative to this folder."""
    named: list[str] = [package[key] for key in ("bundle", "sprite") if key in package]
    named += [package["regions"]["to"]] if "regions" in package else []
    return [*package.get("files", {}).values(), *named]


def readme(packages: dict[str, dict[str, Any]]) -> str:
    """The list of what is vendored, with licences and digests."""
    lines = [
        "# Vendored browser assets", "",
        "Written by `fetch.py` from `packages.json`. The licence texts are in `licences/`.", "",
        "| file | package | version | licence | sha256 of the file |", "|---|---|---|---|---|",
    ]  # fmt: skip
    for name, package in packages.items():
        title, version = name.rsplit("@", 1)
        for file in outputs(package):
            digest = hashlib.sha256((HERE / file).read_bytes()).hexdigest()
            lines.append(f"| `{file}` | {title} | {version} | {package['licence']} | `{digest}` |")
    return "\n".join(lines) + "\n"


def pretty(manifest: dict[str, Any]) -> str:
    """As the file is kept by hand: one block per package, the icons some to a line."""
    packages = json.dumps(manifest["packages"], indent=2).replace("\n", "\n  ")
    lines, line = [], ""
    for name, drawing in manifest["icons"].items():
        pair = f'"{name}": "{drawing}"'
        if line and len(line) + len(pair) > 100:
            lines.append(line)
            line = ""
        line += (", " if line else "") + pair
    icons = ",\n    ".join([*lines, line])
    return f'{{\n  "packages": {packages},\n  "icons": {{\n    {icons}\n  }}\n}}\n'


if __name__ == "__main__":
    main()
