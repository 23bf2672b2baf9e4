"""Ids: readable, the same everywhere, touched by nothing but what they name."""

import os
import subprocess
import sys

import pytest

from whyset.constitution import Constitution

SOURCE = """\
Preface.

# Being honest

Do not lie. We will:

- be “open”;
- be *kind*.

Same.

Same.

## On the many ways in which an assistant might mislead

```
# code
```

# 诚实与善意

坦率。

# 🙂

Smile.
"""

GOLDEN = [
    "preamble-9f5127572d",
    "being-honest-7a99dfd71d",
    "being-honest-3b1f76d01f",
    "being-honest-ef6a05133e",
    "being-honest-e55ac95f5e",
    "being-honest-e55ac95f5e-2",
    "on-the-many-ways-in-which-an-assistant-74fd3f7018",
    "诚实与善意-e12d6693de",
    "section-b30a4f17e4",
]


def ids(source: str) -> list[str]:
    return [passage.id for passage in Constitution.parse(source).passages]


def test_golden_ids() -> None:
    # Ledgers and provenance columns hold ids: a change here breaks what users have on disk.
    assert ids(SOURCE) == GOLDEN


@pytest.mark.parametrize("seed", ["0", "4711"])
def test_the_same_in_every_process(seed: str) -> None:
    program = (
        "import sys; from whyset.constitution import Constitution; "
        "print(*(p.id for p in Constitution.parse(sys.stdin.read()).passages), sep='\\n')"
    )
    found = subprocess.run(
        [sys.executable, "-X", "utf8", "-c", program],
        input=SOURCE,
        encoding="utf-8",
        env={**os.environ, "PYTHONHASHSEED": seed},
        capture_output=True,
        check=True,
        timeout=60,
    )

    assert found.stdout.splitlines() == ids(SOURCE)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("# One\nBe kind.", "# One\n\n\nBe\nkind."),
        ("# One\nBe kind.", "# One\nBe *kind*."),
        ("# One\nBe kind.", "One {#one}\n===\nBe kind. <!-- always -->"),
        ("# One\n- Be kind.", "# One\n1. Be kind."),
        ("# Caf\u00e9\nd\u00e9j\u00e0", "# Cafe\u0301\nde\u0301ja\u0300"),
        ("# One {#a}\nSee [?](#a).", "# One {#b}\nSee [?](#b)."),
    ],
)
def test_what_a_reader_does_not_see_leaves_an_id(before: str, after: str) -> None:
    assert ids(before) == ids(after)


def test_renaming_a_heading_leaves_the_ids_of_what_refers_to_it() -> None:
    source = "# One\nSee [?](#two).\n# Two {#two}\na"
    renamed = source.replace("# Two", "# Three")

    assert ids(source)[0] == ids(renamed)[0]
    assert [Constitution.parse(text).passages[0].plain for text in (source, renamed)] == [
        "See Two.",
        "See Three.",
    ]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("# One\nBe kind.", "# One\nBe kind!"),
        ("# One\nBe kind.", "# Two\nBe kind."),
        ("# A\n## One\nBe kind.", "# B\n## One\nBe kind."),
        ("# One\nBe kind.", "Be kind."),
    ],
)
def test_another_text_or_path_is_another_id(before: str, after: str) -> None:
    assert not set(ids(before)) & set(ids(after))


def test_passages_alike_at_one_path_are_numbered_in_order() -> None:
    one, two, three = ids("# One\nSame.\n\nSame.\n\n# One\nSame.")

    assert (two, three) == (f"{one}-2", f"{one}-3")


def test_adding_one_alike_renumbers_only_those_alike() -> None:
    before = ids("# One\nSame.\n\nOther.\n\nSame.")
    after = ids("# One\nSame.\n\nSame.\n\nOther.\n\nSame.")

    assert after == [before[0], before[2], before[1], f"{before[0]}-3"]


@pytest.mark.parametrize(
    ("heading", "slug"),
    [
        ("Being honest", "being-honest"),
        ("Claude’s nature & Anthropic's role", "claudes-nature-anthropics-role"),
        (
            "On the many ways in which an assistant may err",
            "on-the-many-ways-in-which-an-assistant",
        ),
        ("x" * 60, "x" * 40),
        ("snake_case, `code` (v2.0)", "snake-case-code-v2-0"),
        ("诚实与善意", "诚实与善意"),
        ("हिन्दी भाषा", "हिन्दी-भाषा"),
        ("🙂", "section"),
        ("", "section"),
    ],
)
def test_ids_begin_with_the_heading(heading: str, slug: str) -> None:
    [found] = ids(f"# {heading}\nBe kind.")

    assert found.rpartition("-")[0] == slug


def test_ids_before_the_first_heading() -> None:
    assert ids("Be kind.")[0].startswith("preamble-")
