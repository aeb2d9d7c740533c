"""The difference engine against the evaluator, over pairs of policies made from a seed.

    python -m tests.iam.engine.differential --pairs 50000 --seed 1

Each pair is of documents over small alphabets: all operators, Not-elements, set operators, variables, ARNs, numbers,
dates, networks, principals, one policy or several. What the evaluator decides for every request of a small world is put
beside what the engine reports. A pair that fails is made smaller for as long as it fails. One file, since world, pairs
and comparison are read together.
"""

import argparse
import copy
import json
import random
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import combinations, product
from typing import Any, NamedTuple

from iam.engine.difference import Change, Kind, difference
from iam.engine.statements import Element, Statement, permissions_policy, trust_policy
from tests.iam.engine import evaluator
from tests.iam.engine.evaluator import Document, Request, UndocumentedError, UnresolvedError

Context = dict[str, tuple[str, ...]]

# the world

SHORT = ["".join(letters) for length in range(4) for letters in product("abz", repeat=length)]
ACTIONS = [*(f"s:{name}" for name in SHORT), "s:zzzz", "t:a", "t:z", "u:z", "u:a", "s:abab"]
FIELDS = [
    ("p",),
    ("s", "t"),
    ("a", "aab", "azb", "b", "", "z", "zz", "zb"),
    ("1", "2", "", "z"),
    ("x", "y", "x:y", "xz", "z:y", "z:x", ""),
]
ARNS = [
    *(":".join(("arn", *fields)) for fields in product(*FIELDS)),
    *("arn:p:s:z:z:z:1:x", "arn:p:s:a:z:b:1:x", "arn:p:s:z:x", "arn:p:s:x", "arn:p:t:x", "arn:p:s:z:z:z:x"),
    *("arn:p:s:a:1", "arn:p:s:a", "arn:p:s", "arn:p", "arn:z", "z", "", "arn:p:s:ab:1:x", "arn:p:s:zzz:1:x"),
    *("arn:p:s:az:b:1:x", "arn:p:s:a:z:z:x", "arn:p:s:a:1:z:z:y", "arn:p:s:z", "arn:p:s:z:z", "arn:p:z"),
    *(
        "arn:p:s:a:1:z:1:x",
        "arn:p:s:a:z:1:x",
        "arn:p:s:z:a:1:x",
        "arn:p:s::1:z:x",
        "arn:p:s:a:z:1:z",
        "arn:p:s:z:z:1:z",
        "arn:p:s:ab:z:1:x",
    ),
]
RESOURCES = [
    *SHORT,
    *("zzzz", "abab", "*", "a*", "qqqq", "aqqqq", "qqqqz", "qqqqa", "qqqqb", "zqqqq", "A", "aqqqqz", "q", "aq"),
    *("${aws:username}", "${ aws:username }", "${AWS:UserName}", "a${AWS:UserName}", "${aws:username}z", "${*}"),
    *(arn for arn in ARNS if arn not in SHORT),
]
USERS = [(), ("a",), ("b",), ("qqqq",), ("",), ("z",)]

STRINGS = [
    *("a", "b", "ab", "A", "B", "AB", "aB", "Ab", "z", "Z", "zz", "zzz", "zb", "ZB", "zab", "az", "", "qqqq"),
    *("*", "a*", "A*", "?", "??", "?*", "*b", "${aws:username}"),
]
KEYS: dict[str, list[tuple[str, ...]]] = {
    "k": [(), *((value,) for value in STRINGS)],
    "l": [(), ("a",), ("b",), ("z",), ("A",)],
    "m": [tuple(some) for length in range(4) for some in combinations(["a", "b", "ab", "z", "*", "a*"], length)],
    "n": [
        (),
        *((value,) for value in ("-1", "0", "0.5", "1", "1.25", "1.5", "1.75", "2", "2.5", "1700000000", "1700000001")),
    ],
    "d": [
        (),
        *((f"2027-01-0{day}T{hour}:00:00Z",) for day in (1, 2, 3) for hour in ("00", "01", "12")),
        ("2026-12-31T23:00:00Z",),
        ("2029-01-01T00:00:00Z",),
    ],
    "f": [(), ("true",), ("false",)],
    "i": [
        (),
        *((value,) for value in ("10.0.0.0", "10.1.0.0", "10.1.2.3", "10.1.2.4", "10.2.0.0", "11.0.0.0", "0.0.0.0")),
        *((value,) for value in ("10.1.255.255", "192.168.0.1", "2001:db8::1", "2001:db9::", "::")),
    ],
    "r": [(), *((arn,) for arn in ARNS)],
    "y": [(), ("YQ==",), ("Yg==",), ("eg==",)],
}

SINGLE = ("", "", "IfExists")
STRING_OPERATORS = [
    f"{name}{end}"
    for name in (
        *("StringEquals", "StringNotEquals", "StringLike", "StringNotLike"),
        *("StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase"),
    )
    for end in SINGLE
]
ORDERS = ("Equals", "NotEquals", "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals")
OPERATORS: dict[str, tuple[list[str], list[Any]]] = {
    "k": (STRING_OPERATORS, ["a", "b", "ab", "a*", "*", "?", "A", "aB", "${aws:username}", "??", "?*", "*b"]),
    "l": (["StringEquals", "StringNotEquals", "StringEqualsIfExists"], ["a", "b"]),
    "m": (
        [
            f"{each}:{name}{end}"
            for each in ("ForAllValues", "ForAnyValue")
            for name in ("StringEquals", "StringNotEquals", "StringLike", "StringNotLike")
            for end in ("", "", "", "IfExists")
        ],
        ["a", "b", "ab", "a*", "*"],
    ),
    "n": (
        [f"Numeric{order}{end}" for order in ORDERS for end in SINGLE],
        ["0", "1", "1.0", 1, 2, "2", "1700000000", 1.5],
    ),
    "d": (
        [f"Date{order}{end}" for order in ORDERS for end in SINGLE],
        ["2027-01-01T00:00:00Z", "2027-01-02T00:00:00Z", "2027-01-02T01:00:00+01:00", "2027-01-02", "1798761600"],
    ),
    "f": (["Bool", "BoolIfExists"], ["true", "false", True, False, "True"]),
    "i": (
        [f"{name}{end}" for name in ("IpAddress", "NotIpAddress") for end in SINGLE],
        ["10.0.0.0/8", "10.1.0.0/16", "10.1.2.3", "192.168.0.0/16", "2001:db8::/32", "0.0.0.0/0", "::/0"],
    ),
    "r": (
        [f"{name}{end}" for name in ("ArnLike", "ArnEquals", "ArnNotLike", "ArnNotEquals") for end in SINGLE],
        ["arn:p:s:*:1:*", "arn:p:s:a:*:x", "arn:p:s:a:1:x", "arn:p:*:*:*:*", "arn:p:s:a*b:1:x", "arn:p:s:?:1:x*", "*"],
    ),
    "y": (["BinaryEquals", "BinaryEqualsIfExists"], ["YQ==", "Yg=="]),
}
NULLS = ["true", "false", True, ["true", "false"]]

ACTION_PATTERNS = ["*", "s:*", "s:a*", "s:*b", "s:a", "s:?", "S:AB", "t:*", "s:ab*", "s:??", "s:?*", "s:a?*"]
RESOURCE_PATTERNS = ["*", "a*", "*b", "a", "?", "ab", "a?*", "zz", "??", "?*", "${*}"]
VARIABLE_PATTERNS = ["${aws:username}", "a${AWS:UserName}", "${aws:username}*", "a*", "*", "a", "${ aws:username }"]
ARN_PATTERNS = [
    *("arn:p:s:*:1:x", "arn:p:s:a:*", "arn:p:s:a*b:1:x", "arn:p:s:?:1:x", "arn:p:s", "arn:p:s:*:x", "arn:p:s:a:1:x*"),
    *("arn:p:s:a:1:*:y", "*", "arn:*", "arn:p:s:a*:1:x", "arn:p:*:*:*:*", "arn:p:s:a:1", "arn:p:s:*b:1:x"),
]

ACCOUNT = "111122223333"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/path/r"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/r/one"
USER = f"arn:aws:iam::{ACCOUNT}:user/u"
ENTRIES = [
    *(("AWS", name) for name in ("*", ACCOUNT, f"arn:aws:iam::{ACCOUNT}:root", ROLE, SESSION, USER, "444455556666")),
    *(("Service", name) for name in ("glue.amazonaws.com", "sagemaker.amazonaws.com")),
    ("Federated", "p"),
]
CALLERS = [
    *(f"AWS:{name}" for name in (ROLE, SESSION, SESSION.replace("one", "two"), USER, USER.replace("/u", "/v"))),
    *("AWS:arn:aws:iam::444455556666:user/w", "AWS:arn:aws:iam::777788889999:user/x"),
    *("Service:glue.amazonaws.com", "Service:sagemaker.amazonaws.com", "Service:z.amazonaws.com"),
    *("Federated:p", "Federated:z"),
]


# pairs


class Pair(NamedTuple):
    """Documents before and after."""

    before: list[Document]
    after: list[Document]
    trust: bool


class _Maker:
    """Makes documents of one theme: which keys, which resources, trust or permissions."""

    def __init__(self, dice: random.Random) -> None:
        self.dice = dice
        self.trust = dice.random() < 0.2
        self.resources = dice.choice([RESOURCE_PATTERNS, RESOURCE_PATTERNS, VARIABLE_PATTERNS, ARN_PATTERNS])
        self.keys = dice.sample(sorted(KEYS), dice.choice([0, 1, 1, 1, 2]))
        self.actions = dice.sample(ACTION_PATTERNS, dice.choice([2, 4, 8]))

    def some(self, values: Sequence[Any], most: int = 3) -> Any:
        found = self.dice.sample(list(values), min(self.dice.choice([1, 1, 1, 2, most]), len(values)))
        return found[0] if len(found) == 1 and self.dice.random() < 0.5 else found

    def condition(self) -> dict[str, Any]:
        block: dict[str, Any] = {}
        for _ in range(self.dice.choice([0, 1, 1, 2])):
            if self.keys:
                key = self.dice.choice(self.keys)
                operators, values = OPERATORS[key]
                if self.dice.random() < 0.1:
                    block.setdefault("Null", {})[key] = self.dice.choice(NULLS)
                else:
                    block.setdefault(self.dice.choice(operators), {})[key] = self.some(values)
        return block

    def statement(self) -> dict[str, Any]:
        negated = "Not" if self.dice.random() < 0.2 else ""
        statement: dict[str, Any] = {"Effect": self.dice.choice(["Allow", "Allow", "Allow", "Deny"])}
        statement[f"{negated}Action"] = self.some(self.actions)
        if self.trust:
            if statement["Effect"] == "Deny" and self.dice.random() < 0.5:
                entries = [entry for entry in ENTRIES if entry[1] != "*"]
                statement["NotPrincipal"] = self.principal(entries)
            else:
                statement["Principal"] = self.principal(ENTRIES)
        else:
            negated = "Not" if self.dice.random() < 0.2 else ""
            statement[f"{negated}Resource"] = self.some(self.resources)
        if block := self.condition():
            statement["Condition"] = block
        return statement

    def principal(self, entries: Sequence[tuple[str, str]]) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for kind, name in self.dice.sample(list(entries), self.dice.choice([1, 1, 2, 3])):
            found.setdefault(kind, []).append(name)
        return found

    def document(self) -> Document:
        version = "2008-10-17" if self.dice.random() < 0.05 else "2012-10-17"
        return {"Version": version, "Statement": [self.statement() for _ in range(self.dice.choice([0, 1, 1, 2, 3]))]}

    def documents(self) -> list[Document]:
        return [self.document() for _ in range(1 if self.trust else self.dice.choice([1, 1, 1, 2]))]

    def altered(self, documents: list[Document]) -> list[Document]:
        """Return the documents after a few small changes."""
        after = copy.deepcopy(documents)
        for _ in range(self.dice.choice([1, 1, 2, 3])):
            statements = self.dice.choice(after)["Statement"]
            match self.dice.choice(["add", "drop", "value", "split", "condition"]):
                case "drop" if statements:
                    statements.pop(self.dice.randrange(len(statements)))
                case "value" if statements:
                    statement = self.dice.choice(statements)
                    for name, patterns in (("Action", self.actions), ("Resource", self.resources)):
                        for key in (name, f"Not{name}"):
                            if key in statement and self.dice.random() < 0.5:
                                statement[key] = self.some(patterns)
                case "split" if statements:
                    statement = statements.pop(self.dice.randrange(len(statements)))
                    key = self.dice.choice(["Action", "Resource"])
                    for value in evaluator.listed(statement.get(key, "")):
                        statements.append({**statement, key: value} if key in statement else statement)
                case "condition" if statements:
                    statement = self.dice.choice(statements)
                    statement.pop("Condition", None)
                    if block := self.condition():
                        statement["Condition"] = block
                case _:
                    statements.append(self.statement())
        return after


def pair(seed: int) -> Pair:
    """Return the pair of a seed."""
    maker = _Maker(random.Random(seed))
    before = maker.documents()
    return Pair(before, maker.altered(before) if maker.dice.random() < 0.7 else maker.documents(), maker.trust)


# meaning


class _Meaning(NamedTuple):
    """The requests of a small world, as bits: actions of one kind, each with the resources or callers it matches."""

    allowed: list[int]
    denied: list[int]


@cache
def _action_mask(pattern: str) -> int:
    glob = evaluator.glob(pattern.lower())
    return _mask(bool(glob.fullmatch(action)) for action in ACTIONS)


@cache
def _resource_mask(pattern: str) -> int:
    glob = evaluator.arn_glob(evaluator.completed(pattern))
    return _mask(bool(glob.fullmatch(resource)) for resource in RESOURCES)


def _mask(bits: Iterable[bool]) -> int:
    return sum(1 << position for position, bit in enumerate(bits) if bit)


REQUESTS = [Request("s:a", "*", caller, own) for caller in CALLERS for own in (True, False)]


class _World:
    """All requests that a pair distinguishes."""

    def __init__(self, found: Pair) -> None:
        statements = [statement for side in found[:2] for document in side for statement in document["Statement"]]
        self.text = json.dumps(statements)
        self.trust = found.trust
        self.everything = (1 << (len(REQUESTS) if found.trust else len(RESOURCES))) - 1
        signatures: dict[tuple[int, ...], int] = {}
        patterns = sorted({name for s in statements for name in evaluator.listed(s.get("Action", s.get("NotAction")))})
        for position in range(len(ACTIONS)):
            signature = tuple(_action_mask(pattern) >> position & 1 for pattern in patterns)
            signatures.setdefault(signature, position)
        self.kinds = list(signatures.values())

    def contexts(self, blocks: Iterable[Mapping[str, Mapping[str, Any]]]) -> Iterator[Context]:
        """Yield the contexts that some of the conditions distinguish."""
        tests: dict[str, list[tuple[str, list[Any]]]] = {}
        for block in blocks:
            for operator, keys in block.items():
                for key, values in keys.items():
                    tests.setdefault(key.lower(), []).append((operator, evaluator.listed(values)))
        used = {key: list(_distinguished(KEYS[key], found)) for key, found in sorted(tests.items())}
        if "${" in self.text and "name" in self.text.lower():
            used["aws:username"] = USERS
        for found in product(*used.values()):
            yield dict(zip(used, found, strict=True))

    def part(self, statement: Mapping[str, Any], context: Context, variables: bool) -> tuple[int, int]:
        """Return the actions and the resources or callers that a statement matches."""
        key = "Action" if "Action" in statement else "NotAction"
        actions = _either(map(_action_mask, evaluator.listed(statement[key])))
        if key == "NotAction":
            actions = ~actions
        if self.trust:
            others = _mask(evaluator.names_principal(statement, request) for request in REQUESTS)
        else:
            others = self.resources(statement, context, variables)
        if not evaluator.condition_holds(statement.get("Condition", {}), context, variables):
            return 0, 0
        return actions, others

    def resources(self, statement: Mapping[str, Any], context: Context, variables: bool) -> int:
        key = "Resource" if "Resource" in statement else "NotResource"
        found = 0
        for text in evaluator.listed(statement[key]):
            try:
                found |= _resource_mask(evaluator.filled(text, context, variables))
            except UnresolvedError:
                if key == "NotResource":
                    raise UndocumentedError from None
        return found if key == "Resource" else self.everything & ~found

    def meaning(self, documents: Iterable[Document], context: Context) -> _Meaning:
        sets = {"Allow": [0] * len(self.kinds), "Deny": [0] * len(self.kinds)}
        for document in documents:
            for statement in document["Statement"]:
                actions, others = self.part(statement, context, document.get("Version") == "2012-10-17")
                for index, kind in enumerate(self.kinds):
                    if actions >> kind & 1:
                        sets[statement["Effect"]][index] |= others
        return _Meaning(sets["Allow"], sets["Deny"])


def _distinguished(
    values: Iterable[tuple[str, ...]], tests: Sequence[tuple[str, list[Any]]]
) -> Iterator[tuple[str, ...]]:
    """Yield one value of a key for each way in which the tests answer."""
    seen = set()
    for value in values:
        answers = []
        for operator, wanted in tests:
            if "${aws" in str(wanted).lower().replace(" ", ""):
                answers.append(str(value))
            else:
                answers += [_answer(operator, wanted, value, variables) for variables in (True, False)]
        if (signature := tuple(answers)) not in seen:
            seen.add(signature)
            yield value


def _answer(operator: str, wanted: list[Any], value: tuple[str, ...], variables: bool) -> str:
    try:
        return str(evaluator.comparison_holds(operator, wanted, value, {}, variables))
    except UndocumentedError:
        return "undocumented"


def _either(masks: Iterable[int]) -> int:
    found = 0
    for mask in masks:
        found |= mask
    return found


# what the engine reports


def _written(statement: Statement, trust: bool) -> Document:
    """Return a statement of the engine as a document has it."""
    block: dict[str, Any] = {}
    result: Document = {"Effect": statement.effect}
    for name, element in (("Action", statement.action), ("Resource", statement.resource)):
        if name == "Action" or not trust:
            result[f"Not{name}" if element.excluded else name] = list(element.patterns)
    if trust:
        result["NotPrincipal" if statement.principal.excluded else "Principal"] = _principal(statement.principal)
    for test in statement.condition:
        each = f"{test.each}:" if test.each else ""
        operator = f"{each}{test.operator}{'ifexists' if test.if_exists else ''}"
        block.setdefault(operator, []).append((test.key, sorted(test.values)))
    result["Conditions"] = [
        {operator: {key: values}} for operator, found in sorted(block.items()) for key, values in found
    ]
    return result


def _principal(element: Element) -> Any:
    if element.patterns == ("*",):
        return "*"
    found: dict[str, list[str]] = {}
    for pattern in element.patterns:
        kind, _, name = pattern.partition(":")
        found.setdefault(kind if name else "AWS", []).append(name or "*")
    return found


class _Reported:
    """The parts of a change as sets of requests."""

    def __init__(self, change: Change, trust: bool) -> None:
        self.change = change
        self.before = [_written(statement, trust) for statement in change.before]
        self.after = [_written(statement, trust) for statement in change.after]

    def masks(self, world: _World, context: Context, rows: Iterable[Document]) -> list[int]:
        found = [0] * len(world.kinds)
        for row in rows:
            plain = {key: value for key, value in row.items() if key != "Conditions"}
            actions, others = world.part(plain, context, True)
            for block in row["Conditions"]:
                if not evaluator.condition_holds(block, context, True):
                    others = 0
            for index, kind in enumerate(world.kinds):
                if actions >> kind & 1:
                    found[index] |= others
        return found


def violations(found: Pair) -> list[str]:
    """Return what the engine reports wrongly of a pair."""
    parse = trust_policy if found.trust else permissions_policy
    before, after = ([parse(json.dumps(document)) for document in side] for side in found[:2])
    changes = [_Reported(change, found.trust) for change in difference(before, after).changes]
    world = _World(found)
    wrong: dict[str, None] = {}
    unshown = {(index, side) for index, each in enumerate(changes) if each.change.decided for side in _sides(each)}
    skipped = False
    blocks = [
        *(
            statement.get("Condition", {})
            for side in found[:2]
            for document in side
            for statement in document["Statement"]
        ),
        *(block for each in changes for row in (*each.before, *each.after) for block in row["Conditions"]),
    ]
    for context in world.contexts(blocks):
        try:
            old, new = world.meaning(found.before, context), world.meaning(found.after, context)
            masks = [
                (each.masks(world, context, each.before), each.masks(world, context, each.after)) for each in changes
            ]
        except UndocumentedError:
            skipped = True
            continue
        for kind in range(len(world.kinds)):
            allow0, deny0, allow1, deny1 = old.allowed[kind], old.denied[kind], new.allowed[kind], new.denied[kind]
            broadens = restricts = no_denial = denial = 0
            for each, (was, becomes) in zip(changes, masks, strict=True):
                change = each.change
                if change.effect == "Allow":
                    broadens |= becomes[kind] if change.broadens else 0
                    restricts |= was[kind] if change.restricts else 0
                else:
                    no_denial |= was[kind] if change.broadens else 0
                    denial |= becomes[kind] if change.restricts else 0
            gained, lost = allow1 & ~deny1 & ~(allow0 & ~deny0), allow0 & ~deny0 & ~(allow1 & ~deny1)
            if gained & ~(broadens | no_denial):
                wrong[f"a request is newly allowed and no change broadens it: {context}"] = None
            if lost & ~(restricts | denial):
                wrong[f"a request is no longer allowed and no change restricts it: {context}"] = None
            if deny1 & ~deny0 & ~denial or deny0 & ~deny1 & ~no_denial:
                wrong[f"a denial comes or goes and no change says so: {context}"] = None
            for index, side in list(unshown):
                effect, mask = changes[index].change.effect, masks[index][side][kind]
                others = (deny0 | allow1, deny1 | allow0)[side] if effect == "Allow" else (deny1, deny0)[side]
                if mask & ~others:
                    unshown.discard((index, side))
    if not skipped:
        for index, _ in sorted(unshown):
            wrong[f"no request shows a change that is decided: {changes[index].change}"] = None
    return list(wrong)


def _sides(reported: _Reported) -> tuple[int, ...]:
    """Return in which direction a change is claimed: 0 for before, 1 for after."""
    match reported.change.kind:
        case Kind.GAINED | Kind.WIDENED:
            return (1,)
        case Kind.LOST | Kind.NARROWED:
            return (0,)
        case _:
            return (0, 1)


# smaller


def shrunk(found: Pair, fails: Callable[[Pair], bool]) -> Pair:
    """Return the pair with everything left out that it takes not to fail."""
    smaller = True
    while smaller:
        smaller = False
        for candidate in _smaller(found):
            try:
                if fails(candidate):
                    found, smaller = candidate, True
                    break
            except (ValueError, KeyError):
                continue
    return found


def _smaller(found: Pair) -> Iterator[Pair]:
    for index in (0, 1):
        for candidate in _without_one(found[index]):
            sides = [found.before, found.after]
            sides[index] = candidate
            if all("Statement" in document for side in sides for document in side):
                yield Pair(sides[0], sides[1], found.trust)


def _without_one(value: Any) -> Iterator[Any]:
    """Yield a JSON value with one part left out, outer parts first."""
    if isinstance(value, list):
        yield from ([*value[:index], *value[index + 1 :]] for index in range(len(value)))
        yield from (
            [*value[:index], part, *value[index + 1 :]]
            for index in range(len(value))
            for part in _without_one(value[index])
        )
    elif isinstance(value, dict):
        optional = [key for key in value if key not in ("Version", "Effect", "Action", "NotAction")]
        yield from ({other: value[other] for other in value if other != key} for key in optional)
        yield from ({**value, key: part} for key in value for part in _without_one(value[key]))


def check(pairs: int, seed: int) -> list[str]:
    """Return reports of the pairs that fail."""
    reports = []
    for number in range(seed * 1_000_000, seed * 1_000_000 + pairs):
        found = pair(number)
        if wrong := violations(found):
            least = shrunk(found, lambda candidate: bool(violations(candidate)))
            reports.append("\n".join([f"seed {number}:", *map(json.dumps, least[:2]), *(violations(least) or wrong)]))
    return reports


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=50_000)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args(arguments)
    begun = time.monotonic()
    reports = check(chosen.pairs, chosen.seed)
    print(*reports, sep="\n\n")
    print(f"{chosen.pairs:,} pairs, seed {chosen.seed}: {len(reports)} fail, {time.monotonic() - begun:.0f} s")
    return bool(reports)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
