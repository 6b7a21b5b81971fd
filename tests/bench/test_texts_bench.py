"""The bench of texts in small: bad weather, people who opt out, and nobody told twice, wrongly or unasked."""

from console.bench import texts


def test_three_hundred_changes_in_bad_weather() -> None:
    told: list[str] = []
    result = texts.safe(300, seed=7, rate=100.0, tell=told.append)
    (found,) = result["results"]
    assert {name: found[name] for name in ("twice", "misdirected", "after_opt_out", "lost")} == {
        "twice": 0, "misdirected": 0, "after_opt_out": 0, "lost": 0,
    }, found  # fmt: skip
    assert (found["changes"], found["ours"], found["ratio"]) == (300, 0, 1.0)
    assert found["texts"] > 60
    assert found["opted_out"]
    assert len(told) == 4
