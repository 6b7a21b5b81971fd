"""The site of the rig: councils that have each a desk, where cases are typed, and a care system of a given tier.

The desk owns what was asked for and by whom, care owns the status; both change what is theirs, and each is told of the
other's. `notes` are mapped nowhere: whoever loses them has wiped something.
"""

from __future__ import annotations

from pathlib import Path

OPENAPI = """\
openapi: 3.1.0
info: {title: Cases, version: "1"}
paths:
  /cases: {get: {}, post: {}}
  /cases/search: {get: {}}
  /cases/by-key/{key}: {put: {}}
  /cases/{id}: {get: {}, patch: {}}
components:
  schemas:
    Case:
      type: object
      required: [id, version, changed_at, status, kind, priority, received_at, reason, person]
      properties:
        id: {type: string}
        version: {type: integer}
        changed_at: {type: string, format: date-time}
        external_reference: {type: [string, "null"]}
        status: {type: string}
        status_reason: {type: [string, "null"]}
        kind: {type: string}
        priority: {type: string}
        received_at: {type: string, format: date-time}
        reason: {type: string}
        notes: {type: [string, "null"]}
        desk_number: {type: [string, "null"]}
        safeguarding: {type: boolean}
        restricted: {type: boolean}
        person:
          type: object
          required: [last_name]
          properties:
            last_name: {type: string}
            mobile: {type: [string, "null"]}
"""

PROFILE = """\
system: peer
protocol: rest
interface: interfaces/rig.openapi.yaml
clock: UTC
records:
  Case:
    component: Case
    item: {{id: id, version: version, modified: changed_at{kept}}}
    leave_out: [id, version, changed_at, external_reference]
    changes:
      feed: cursor
      path: /cases
      since: changed_since
      page: {{next: next, is: token, cursor: cursor, size: limit, of: 100}}
      items: cases[]
      overlap: PT30S
    fetch: {{path: "/cases/{{id}}"}}
    create: {create}
    update:
      method: PATCH
      path: "/cases/{{id}}"
      content_type: application/json
      mode: merge
      reads_first: true
      check: {{header: If-Match, value: '"{{version}}"'}}
    {find}
    errors:
      invalid: rejected
      precondition_failed: outdated
      too_many_requests: throttled
      not_found: not_there
    fault: {{code: error/code, field: error/field}}
"""
FIND = 'find: {path: "/cases/search", by: external_reference, items: "cases[]"}'
TIERS = {
    "A": {
        "kept": ", our_key: external_reference",
        "create": '{method: PUT, path: "/cases/by-key/{our_key}", keeps_key: true}',
        "find": FIND,
    },
    "B": {
        "kept": ", our_key: external_reference",
        "create": "{method: POST, path: /cases, our_key: external_reference}",
        "find": FIND,
    },
    "C": {"kept": "", "create": "{method: POST, path: /cases}", "find": ""},
}

MAPPING = """\
system: peer
record: Case
empty: null
fields:
  - {ours: type, theirs: kind, codes: rig-kind, needed: true}
  - {ours: status, theirs: status, codes: rig-status, needed: true}
  - {ours: status_reason.text, theirs: status_reason}
  - {ours: priority, theirs: priority, codes: rig-priority, needed: true}
  - {ours: received_at, theirs: received_at, as: time, needed: true, lossy: the offset}
  - {ours: reason.text, theirs: reason, empty: text}
  - {ours: safeguarding_flag, theirs: safeguarding, needed: true}
  - {ours: restricted_record, theirs: restricted, needed: true}
  - {ours: person.name.family, theirs: person/last_name, needed: true}
  - {ours: "person.telecom[system=phone,use=mobile].value", theirs: person/mobile, as: phone, lossy: its spelling}
"""
#: Care keeps the desk's number too, by which a case is known again where nothing else tells.
CARE_MAPPING = MAPPING + '  - {ours: "source_identifiers[system=desk].value", theirs: desk_number}\n'
HEAD = "theirs,ours,direction,cy,en,from,to,note\n"
CODES = {
    "rig-kind": HEAD + "referral,referral,both,Atgyfeiriad,Referral,,,\n",
    "rig-priority": HEAD + "routine,routine,both,Arferol,Routine,,,\nurgent,urgent,both,Brys,Urgent,,,\n",
    "rig-status": HEAD
    + "new,received,both,Wedi dod i law,Received,,,\n"
    + "triage,in_triage,both,Yn cael ei frysbennu,In triage,,,\n"
    + "accepted,accepted,both,Wedi'i dderbyn,Accepted,,,\n"
    + "in-progress,in_progress,both,Ar waith,In progress,,,\n"
    + "on-hold,on_hold,both,Wedi'i ohirio,On hold,,,\n",
}

CONNECTION = """\
  {side}:
    profile: rig-{profile}
    owner: {{name: The rig, phone: "01632 960101"}}
    supplier: Nobody
    connect:
      url: {url}
      timeout_seconds: {timeout}
      limits: {{at_once: 2}}
    records:
      Case: {{mapping: peer/{side}{match}}}
    owns: {owns}
    schedule: {{every: PT{every}S}}
    settle_seconds: {settle}
    pause: {{after_failures: 50, try_again: PT1S}}
"""
OWNS = {
    "desk": "[type, priority, person, reason, received_at, safeguarding_flag, restricted_record]",
    "care": "[status, status_reason]",
}


def lay_out(
    folder: Path,
    tiers: dict[str, str],
    url: str,
    *,
    timeout: float = 1,
    settle: float = 1,
    every: float = 1,
    matched: bool = False,
) -> Path:
    """Write a site under `folder` and return it: a council for each key of `tiers`, its care system of that tier.

    `matched`: a case in care that nobody knows may be matched by the desk's number in it.
    """
    site = folder / "site"
    files = {
        "interfaces/rig.openapi.yaml": OPENAPI,
        "mappings/peer/desk.yaml": MAPPING,
        "mappings/peer/care.yaml": CARE_MAPPING,
        "config/dolen.yaml": (
            f"schema_version: 2\nstage: test\ndata: {folder / 'data'}\nkeys: {{main: 'file:{folder / 'main.key'}'}}\n"
            "log: {level: info, format: json}\n"
        ),
        **{f"profiles/rig-{tier.lower()}.yaml": PROFILE.format(**parts) for tier, parts in TIERS.items()},
        **{f"codes/{name}.csv": rows for name, rows in CODES.items()},
    }
    for number, (council, tier) in enumerate(tiers.items(), 1):
        text = (
            f"council:\n  code: {council}\n  gss: W0699990{number}\n"
            f"  name: {{cy: {council.title()}, en: {council.title()}}}\n  phone: '01632 960100'\nconnections:\n"
        )
        for side, profile in (("desk", "a"), ("care", tier.lower())):
            text += CONNECTION.format(
                side=side,
                match=', match: ["source_identifiers[system=desk].value"]' if side == "care" and matched else "",
                profile=profile,
                url=f"{url}/{council}/{side}",
                owns=OWNS[side],
                timeout=timeout,
                settle=settle,
                every=every,
            )
        text += "routes:\n"
        for source, target in (("desk", "care"), ("care", "desk")):
            text += f"  - {{name: {source}-to-{target}, from: {source}, to: {target}, record: Case, carries: state}}\n"
        files[f"config/councils/{council}.yaml"] = text
    for name, body in files.items():
        path = site / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(body, encoding="utf-8")
    return site
