"""A site: the folder of configuration that one installation runs on, read as a whole with all its faults at once.

A fault in `dolen.yaml` stops the site; a fault in a council's file leaves that council out and nobody else. On
`reload` a file that has become faulty keeps its last good version, so that a slip in an editor stops nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from config.access import access_problems
from config.checks import Surroundings, council_problems, pieces_of
from config.council import CouncilSettings
from config.documents import Document, read_yaml
from config.findings import Finding, Problem, SiteFaults, clean, errors, in_order
from config.layers import Layers
from config.places import Places
from config.retention import Retention, laid_over, out_of_order
from config.secrets import unusable
from config.settings import SiteSettings
from config.sharing import shared_installations
from config.text_words import problems_of
from config.texts import Text
from config.upgrades.upgrade import newer
from config.validation import Model, validated

SITE_FILE = "config/dolen.yaml"
COUNCIL_FOLDER = "config/councils"
TEXT_FOLDER = "texts"


@dataclass(frozen=True, slots=True)
class Council:
    """One council's settings, and the document they came from, for telling lines."""

    settings: CouncilSettings
    document: Document = field(repr=False)

    @property
    def code(self) -> str:
        """Its short name, which is also the name of its file."""
        return self.settings.council.code


@dataclass(frozen=True, slots=True)
class Site:
    """A site without faults in `dolen.yaml`. What is wrong elsewhere is in `findings`."""

    root: Path
    settings: SiteSettings
    document: Document = field(repr=False)
    councils: Mapping[str, Council]
    texts: Mapping[str, Text] = field(repr=False)
    text_documents: Mapping[str, Document] = field(repr=False)
    layers: Layers = field(repr=False)
    groups: Collection[str] = field(repr=False)
    findings: tuple[Finding, ...]

    @property
    def places(self) -> Places:
        """Where its databases, its broker and its main key are."""
        keys = self.settings.keys
        return Places(
            self.root, self.settings.data, self.settings.ledger.url, self.settings.broker.url, keys.store, keys.main,
            keys.next,
        )  # fmt: skip

    def secret(self, reference: str, environment: Mapping[str, str] | None = None) -> str:
        """Resolve `env:NAME` or `file:PATH` (relative to the site). Raises SecretMissing."""
        return self.places.secret(reference, environment)

    def plain(self, value: str, environment: Mapping[str, str] | None = None) -> str:
        """Return a value that may be a reference, resolved; any other as it stands."""
        return self.places.plain(value, environment)

    @property
    def data_folder(self) -> Path:
        """Where the running site writes."""
        return self.places.data_folder

    def ledger_url(self, environment: Mapping[str, str] | None = None) -> str:
        """The database's URL, with an SQLite path made absolute. Raises SecretMissing."""
        return self.places.ledger_url(environment)

    def keys_url(self, environment: Mapping[str, str] | None = None) -> str:
        """The URL of the database of the keys, in the same way. Raises SecretMissing."""
        return self.places.keys_url(environment)

    def retention(self, code: str) -> Retention:
        """How long a council keeps data."""
        return laid_over(self.settings.retention, self.councils[code].settings.retention)

    def broker_url(self, environment: Mapping[str, str] | None = None) -> str:
        """The broker's URL. Raises SecretMissing."""
        return self.places.broker_url(environment)

    def missing_secrets(self, environment: Mapping[str, str] | None = None) -> tuple[Finding, ...]:
        """Find references that lead nowhere now. Loading a site does not need its secrets; running it does."""
        found: list[Finding] = []
        for document in (self.document, *(council.document for council in self.councils.values())):
            problems = unusable(document.data, beside=self.root, environment=environment)
            found += document.locate(problem for problem in problems if not self._made_on_first_use(problem))
        return in_order(found)

    def _made_on_first_use(self, problem: Problem) -> bool:
        return problem.path == ("keys", "main") and self.settings.keys.main.startswith("file:")


def load_site(root: Path, *, shipped: Mapping[str, Path] | None = None, groups: Collection[str] = ()) -> Site:
    """Read a site.

    `shipped` names the folders of shipped files by kind (`config.layers.ENDINGS`); without it, whether profiles and
    mappings exist is not looked at. `groups` are the groups of fields there are; without it, any name may be owned.
    Raises SiteFaults, with everything found in all files, if `dolen.yaml` cannot be used.
    """
    document, settings, found = _site_file(root)
    layers = Layers(root, shipped or {})
    stage = settings.stage if settings else "test"
    texts, text_documents, text_findings = _texts(root, live=stage == "live")
    around = Surroundings(
        stage=stage,
        layers=None if shipped is None else layers,
        texts=texts,
        text_names=_stems(root / TEXT_FOLDER),
        groups=groups,
    )
    councils, council_findings = _councils(root, around)
    roles: tuple[Finding, ...] = ()
    if document is not None and settings is not None:  # who may do what stops nothing that runs, and is told
        known = _stems(root / COUNCIL_FOLDER)
        roles = tuple(document.locate(access_problems(settings.access, settings.stage, known, beside=root)))
    findings = in_order([*found, *roles, *text_findings, *council_findings])
    if document is None or settings is None or errors(found):
        raise SiteFaults(findings)
    site = Site(root, settings, document, councils, texts, text_documents, layers, groups, findings)
    disordered = [
        one.document.locate(out_of_order(site.retention(code)))
        for code, one in councils.items()
        if one.settings.retention is not None
    ]
    unfit = {finding.file for found in disordered for finding in found}
    return replace(
        site,
        councils={code: one for code, one in councils.items() if one.document.name not in unfit},
        findings=in_order([*findings, *(finding for found in disordered for finding in found)]),
    )


def reload(site: Site) -> Site:
    """Read the site again. What has become faulty keeps its last good version; `findings` says what is wrong now.

    A council whose file was taken away goes; one whose file is faulty stays as it was. Never raises SiteFaults.
    """
    shipped = site.layers.shipped or None
    try:
        fresh = load_site(site.root, shipped=shipped, groups=site.groups)
    except SiteFaults as faults:
        # Without a stage nothing can be judged: everything stays as it was until dolen.yaml is mended.
        return replace(site, findings=faults.findings)
    there = set(_stems(site.root / COUNCIL_FOLDER))
    kept = {code: one for code, one in site.councils.items() if code in there and code not in fresh.councils}
    text_files = set(_stems(site.root / TEXT_FOLDER))
    old = {name for name in site.texts if name in text_files and name not in fresh.texts}
    return replace(
        fresh,
        councils=dict(sorted({**fresh.councils, **kept}.items())),
        texts={**fresh.texts, **{name: site.texts[name] for name in old}},
        text_documents={**fresh.text_documents, **{name: site.text_documents[name] for name in old}},
    )


def load_council(path: Path, around: Surroundings, *, name: str = "") -> tuple[Council | None, tuple[Finding, ...]]:
    """Read one council's file: the council, or None if a finding stands in the way; and all findings."""
    try:
        document = read_yaml(path, name=name)
    except SiteFaults as faults:
        return None, faults.findings
    settings, found = _read(document, CouncilSettings, "`council`, `connections` and `routes`")
    if isinstance(document.data, dict):
        found += document.locate(council_problems(pieces_of(document.data), path.stem, around))
    if settings is None or errors(found):
        return None, in_order(found)
    return Council(settings, document), in_order(found)


def _site_file(root: Path) -> tuple[Document | None, SiteSettings | None, list[Finding]]:
    path = root / SITE_FILE
    if not path.is_file() and (root / "dolen.yaml").is_file():
        remedy = "name the folder above it: --site must be the folder that holds `config`"
        return None, None, [Finding("dolen.yaml", 0, 0, "", "the folder `config` itself", "the site's folder", remedy)]
    try:
        document = read_yaml(path, name=SITE_FILE)
    except SiteFaults as faults:
        return None, None, list(faults.findings)
    ahead = newer(document)
    if ahead is not None:  # what else is strange in it may be right in its own Dolen
        return document, None, [ahead]
    settings, found = _read(document, SiteSettings, "`schema_version: 2` and what differs from the defaults")
    if settings is not None:
        found += document.locate(out_of_order(settings.retention))
        if settings.stage == "live" and settings.residents_only_to:
            remedy = "take the list out, or set `stage: test`"
            found.append(
                document.finding(
                    ("residents_only_to",), found="a list in a live site", expected="no list in live", remedy=remedy
                )
            )
    return document, settings, found


def _texts(root: Path, *, live: bool) -> tuple[dict[str, Text], dict[str, Document], list[Finding]]:
    texts: dict[str, Text] = {}
    documents: dict[str, Document] = {}
    findings = _overlooked(root / TEXT_FOLDER, TEXT_FOLDER)
    for path in _files(root / TEXT_FOLDER):
        try:
            document = read_yaml(path, name=f"{TEXT_FOLDER}/{path.name}")
        except SiteFaults as faults:
            findings += faults.findings
            continue
        text, found = _read(document, Text, "`statuses`")
        if text is not None:
            found += document.locate(problems_of(text, live=live))
        findings += found
        if text is not None and not errors(found):
            texts[path.stem], documents[path.stem] = text, document
    return texts, documents, findings


def _councils(root: Path, around: Surroundings) -> tuple[dict[str, Council], list[Finding]]:
    read: dict[str, Council] = {}
    findings = _overlooked(root / COUNCIL_FOLDER, COUNCIL_FOLDER)
    paths = _files(root / COUNCIL_FOLDER)
    if not paths:
        remedy = "create a file a council there, called after its code"
        findings.append(Finding(COUNCIL_FOLDER, 0, 0, "", "no council's file", "at least one .yaml file", remedy))
    for path in paths:
        council, found = load_council(path, around, name=f"{COUNCIL_FOLDER}/{path.name}")
        findings += found
        if council is not None:
            read[council.code] = council
    unclear: set[str] = set()
    for code, problem in shared_installations({code: one.settings.connections for code, one in read.items()}):
        located = read[code].document.locate([problem])
        findings += located
        if errors(located):
            unclear.add(code)
    return {code: one for code, one in read.items() if code not in unclear}, findings


def _read(document: Document, model: type[Model], holds: str) -> tuple[Model | None, list[Finding]]:
    if not isinstance(document.data, dict):
        found = "an empty file" if document.data is None else "a file that is one value or a list"
        finding = document.finding(
            (), found=found, expected=f"a file with {holds}", remedy="see docs/reference/settings.md"
        )
        return None, [finding]
    settings, problems = validated(model, document.data)
    return settings, list(document.locate(problems))


def _files(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if path.suffix == ".yaml" and path.name[0] != ".")
    except OSError:
        return []


def _overlooked(folder: Path, name: str) -> list[Finding]:
    """Find files whose ending keeps them from being read, which nobody would notice otherwise."""
    try:
        slips = sorted(path.name for path in folder.iterdir() if path.suffix.lower() in (".yml", ".yaml"))
    except OSError:
        return []
    remedy = "rename the file"
    return [
        Finding(f"{name}/{clean(slip)}", 0, 0, "", "another ending than .yaml", "a file that ends in .yaml", remedy)
        for slip in slips
        if not slip.endswith(".yaml")
    ]


def _stems(folder: Path) -> tuple[str, ...]:
    return tuple(path.stem for path in _files(folder))
