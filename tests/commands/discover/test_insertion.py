"""Roles are added to the text of a configuration, in its layout."""

import pytest

from commands.discover.insertion import NotInsertableError, with_roles
from iam.policy_document import Document

ROLES: list[Document] = [
    {"role": "arn:aws:iam::111122223333:role/a/b"},
    {"role": "b=c", "trust": {"keep": "trust/b=c.json"}},
]
NEW = {"region": "eu-west-1", "account_id": "011122223333"}
LINES = '- role: arn:aws:iam::111122223333:role/a/b\n{0}- role: "b=c"\n{0}  trust:\n{0}    keep: "trust/b=c.json"\n'
BRACES = '{role: arn:aws:iam::111122223333:role/a/b}, {role: "b=c", trust: {keep: "trust/b=c.json"}}'

LAYOUTS = {
    "the last line without its end": (
        "environments:\n  e:\n    roles:\n    - role: a",
        "environments:\n  e:\n    roles:\n    - role: a\n    " + LINES.format(" " * 4),
    ),
    "no indentation of lists": (
        "environments:\n  e:\n    roles:\n    - role: a\n    region: x\n",
        "environments:\n  e:\n    roles:\n    - role: a\n    " + LINES.format(" " * 4) + "    region: x\n",
    ),
    "braces": (
        "environments: {e: {roles: [{role: a}]}}\n",
        f"environments: {{e: {{roles: [{{role: a}}, {BRACES}]}}}}\n",
    ),
    "a list in brackets over several lines": (
        "environments:\n  e:\n    roles: [\n      {role: a}\n    ]  # all\n",
        f"environments:\n  e:\n    roles: [\n      {{role: a}}\n    , {BRACES}]  # all\n",
    ),
    "comments of the last role": (
        "environments:\n  e:\n    roles:\n      - role: a  # one\n        # two\n      # three\n",
        "environments:\n  e:\n    roles:\n      - role: a  # one\n        # two\n      "
        + LINES.format(" " * 6)
        + "      # three\n",
    ),
    "line ends of Windows": (
        "environments:\r\n  e:\r\n    roles:\r\n      - role: a\r\n",
        "environments:\r\n  e:\r\n    roles:\r\n      - role: a\r\n      "
        + LINES.format(" " * 6).replace("\n", "\r\n"),
    ),
}


def test_environments_are_created_in_a_file_without_them() -> None:
    text = "state: {bucket: b}  # ours\n"
    changed = with_roles(text, "e", [{"role": "team"}], new_environment=NEW)
    assert changed == (
        f"{text}environments:\n  e:\n    region: eu-west-1\n"
        '    account_id: "011122223333"\n    roles:\n      - role: team\n'
    )


@pytest.mark.parametrize("layout", LAYOUTS)
def test_roles_are_added_in_the_existing_layout(layout: str) -> None:
    before, after = LAYOUTS[layout]
    assert with_roles(before, "e", ROLES, new_environment=NEW) == after


@pytest.mark.parametrize(
    "text",
    [
        "environments:\n  a: &a\n    roles:\n    - role: x\n  e: *a\n",
        "environments:\n  e:\n    roles:\n",
        "environments:\n  e: {}\n",
        "environments:\n",
        "- no configuration\n",
        "",
        "environments: [\n",
    ],
    ids=["an alias", "no list", "no roles", "no environments", "a list", "nothing", "no YAML"],
)
def test_an_error_without_a_safe_place_has_the_roles_to_add(text: str) -> None:
    with pytest.raises(NotInsertableError, match=r"^add to environments\.e\.roles by hand: \{role: arn:aws:iam::1111"):
        with_roles(text, "e", ROLES, new_environment=NEW)
