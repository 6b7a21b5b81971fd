"""What `dolen status` says of data protection: the oldest payload held, what will expire, what is restricted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from console.show import count, iso, say, table
from console.site import zone_of

if TYPE_CHECKING:
    from pipelines.plant import Plant


def plain(plant: Plant) -> dict[str, Any]:
    """The same for scripts."""
    from pipelines import protection, retained, rotation

    measured = retained.of(plant)
    return {
        "measured": iso(measured.at, "UTC"),
        "oldest": [
            {"council": one.council, "class": one.kind, "at": iso(one.at, zone_of(plant, one.council)),
             "count": one.count}
            for one in measured.oldest
        ],
        "will_expire": protection.coming(plant),
        "restricted": protection.restricted(plant),
        "rotation_under_way": bool(rotation.status(plant.keys).under_way),
    }  # fmt: skip


def show(plant: Plant) -> None:
    """Print it; nothing where there is nothing to say."""
    told = plain(plant)
    if told["oldest"]:
        say(f"Oldest payload held, by class, as measured at {told['measured']}:")
        table(
            ["council", "class", "oldest", "held"],
            [(one["council"], one["class"], one["at"], one["count"]) for one in told["oldest"]],
        )
    for council, number in told["will_expire"].items():
        say(f"{council}: {count(number, 'referral')} left unattended will expire (retention.unattended).")
    for council, number in told["restricted"].items():
        say(f"{council}: {count(number, 'referral')} restricted; nothing of them is sent.")
    if told["rotation_under_way"]:
        say("A rotation of keys is under way: dolen keys status")
