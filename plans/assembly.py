"""Roles, users and groups put together from the resources of a plan.

Several resources describe one role: the role itself, inline policies, attachments, exclusive sets, and the managed
policies attached to it. They are matched by the role's name within one provider configuration, or by the references of
the configuration. The provider's resource types for users and groups have the same attributes under the same names,
save for what these do not have: a trust policy, and for groups a permissions boundary.
"""

from collections.abc import Callable, Sequence

from iam.engine.answers import REVIEW_STEPS, Budget
from iam.engine.statements import trust_policy
from plans import datasets
from plans.plan import SNAPSHOTS, Plan, ResourceChange, Snapshot
from plans.providers import Providers, account_of
from plans.references import Target
from plans.resource_policies import resource_policies
from plans.roles import IDENTITY_KINDS, NOTHING, Gap, Held, Holdings, PolicyName, Role, RoleKind, held
from plans.values import UNKNOWN, Hidden, Name, Unknown, Value, attributes, items, name, shown, text

EVALUATED = frozenset(
    {
        "aws_iam_policy",
        "aws_iam_policy_attachment",
        *(
            f"aws_iam_{kind}{part}"
            for kind in IDENTITY_KINDS
            for part in ("", "_policy", "_policy_attachment", "_policies_exclusive", "_policy_attachments_exclusive")
        ),
    }
)
"""The resource types that roles, users and groups are put together from."""


def roles(plan: Plan, changes: Sequence[ResourceChange]) -> list[Role]:
    """Return the roles, users and groups that changes of a plan describe, and the managed policies that none holds.

    A managed policy that is a permissions boundary is returned too, even where it is also attached: what it denies may
    be denied by no other policy of those that it limits.
    """
    return _Assembly(plan, changes).result()


def described(plan: Plan, changes: Sequence[ResourceChange]) -> list[Role]:
    """Return what `roles` returns, and the resources whose policies the changes describe."""
    roles_and_policies = roles(plan, changes)
    policies = resource_policies(plan, changes, Providers(plan, changes))
    budget = roles_and_policies[0].budget if roles_and_policies else Budget(REVIEW_STEPS)
    for resource in policies:
        resource.budget = budget
    return roles_and_policies + policies


def drifted(plan: Plan) -> list[Role]:
    """Return the roles, and the resources with a policy, that changed outside of Terraform: from the state to AWS."""
    return drifted_roles(plan) + resource_policies(plan, plan.drift, Providers(plan, plan.drift))


def drifted_roles(plan: Plan) -> list[Role]:
    """Return the roles that changed outside of Terraform: from the state to AWS.

    A role's own attributes list all its policies, as they were before the grants were applied. Policies that resources
    of the plan grant are therefore left to those resources.
    """
    drifted_roles = roles(plan, plan.drift)
    addresses = {change.address for change in plan.drift}
    for change in plan.changes:
        if change.address in addresses or "before" not in change.snapshots:
            continue
        for role in drifted_roles:
            if role.kind != "role" or role.name != change.text("before", "role"):
                continue
            for holdings in (role.before, role.after):
                if change.type == "aws_iam_role_policy":
                    holdings.inline.pop(change.text("before", "name"), None)
                elif change.type == "aws_iam_role_policy_attachment":
                    holdings.managed.pop(change.text("before", "policy_arn"), None)
    return drifted_roles


class _Assembly:
    def __init__(self, plan: Plan, changes: Sequence[ResourceChange]) -> None:
        self._plan = plan
        self._providers = Providers(plan, changes)
        self._by_type: dict[str, list[ResourceChange]] = {}
        for change in changes:
            self._by_type.setdefault(change.type, []).append(change)
        self._by_address = {type_: {each.address: each for each in of} for type_, of in self._by_type.items()}
        self._roles: dict[str, Role] = {}
        """By address, or by what identifies a role that the plan does not manage."""
        self._by_name: dict[tuple[RoleKind, str], list[Role]] = {}
        self._policies = {
            arn: change
            for change in self._by_type.get("aws_iam_policy", ())
            for snapshot in SNAPSHOTS
            if (arn := change.text(snapshot, "arn"))
        }
        self._granted: dict[int, dict[Snapshot, dict[str, PolicyName]]] = {}
        """The policies that resources grant: by role, snapshot, and address of the resource."""
        self._attached: set[str] = set()
        """Addresses of the managed policies that some role holds."""

    def result(self) -> list[Role]:
        for kind in IDENTITY_KINDS:
            for change in self._by_type.get(f"aws_iam_{kind}", ()):
                self._add_role(change, kind)
        for kind in IDENTITY_KINDS:
            self._each_snapshot(kind, "_policy", kind, self._inline)
            self._each_snapshot(kind, "_policy_attachment", kind, self._attach)
        for change in self._by_type.get("aws_iam_policy_attachment", ()):
            self._shared_attachment(change)
        self._remove_deleted()  # before the exclusive sets, which may attach a policy again
        for kind in IDENTITY_KINDS:
            self._each_snapshot(kind, "_policies_exclusive", f"{kind}_name", self._exclusive_inline)
            self._each_snapshot(kind, "_policy_attachments_exclusive", f"{kind}_name", self._exclusive_managed)
        self._keep_attached()
        described = list(self._roles.values())
        for role in described:
            if role.change and "after" not in role.change.snapshots:
                role.after = Holdings()
        for role in described:
            resources = [role.change] if role.change else list(role.declared.values())
            if role.kind == "role":
                role.read_arn = text(self._plan.known_roles.get(role.name, {}).get("arn"))
            role.account = account_of(role.arn) or self._providers.account(resources)
        policies = self._by_type.get("aws_iam_policy", ())
        boundaries = {text(role.on(snapshot).boundary) for role in described for snapshot in SNAPSHOTS} - {""}
        described += [
            self._alone(policy)
            for policy in policies
            if policy.changes and (policy.address not in self._attached or policy.text("before", "arn") in boundaries)
        ]
        budget = Budget(REVIEW_STEPS)
        for role in described:
            role.budget = budget
        return described

    def _target(self, change: ResourceChange, attribute: str, type_: str) -> Target:
        return self._plan.configuration.target(
            change.module, change.address, change.index, attribute, type_, self._by_address.get(type_, ())
        )

    def _add_role(self, change: ResourceChange, kind: RoleKind) -> None:
        names = {each for snapshot in SNAPSHOTS if (each := name(change.get(snapshot, "name")))}
        visible = sorted(each for each in names if isinstance(each, str))
        role = Role(visible[0] if visible else change.address, kind, change=change)
        self._roles[change.address] = role
        for key in {_key(each) for each in names}:
            self._by_name.setdefault((kind, key), []).append(role)
        for snapshot in SNAPSHOTS:
            holdings = role.on(snapshot)
            if snapshot not in change.snapshots:
                continue
            holdings.exists = True
            holdings.boundary = change.get(snapshot, "permissions_boundary") or ""
            if kind == "role":
                trust = change.get(snapshot, "assume_role_policy")
                holdings.trust = held(trust, trust_policy, address=change.address)
                self._listed_inline(change, snapshot, holdings)
                self._listed_managed(change, snapshot, holdings)

    def _listed(self, change: ResourceChange, snapshot: Snapshot, attribute: str) -> Value:
        """Return a list of policies in the role's own attributes.

        A list that the configuration does not set is unknown in a plan too: the role then keeps what it has.
        """
        listed = change.get(snapshot, attribute)
        block = self._plan.configuration.block(change.module, change.address, change.index)
        if listed is UNKNOWN and (block is None or attribute not in block.references):
            return change.get("before", attribute)
        return listed

    def _listed_inline(self, change: ResourceChange, snapshot: Snapshot, holdings: Holdings) -> None:
        listed = self._listed(change, snapshot, "inline_policy")
        if listed is UNKNOWN:
            holdings.inline[f"of {change.address}"] = Held(None, Gap.UNKNOWN, address=change.address)
        for position, value in enumerate(items(listed)):
            block = attributes(value)
            if not (block.get("name") or block.get("policy")):
                continue
            key = name(block.get("name")) or f"block {position}"
            holdings.inline[key] = held(block.get("policy"), address=change.address)

    def _listed_managed(self, change: ResourceChange, snapshot: Snapshot, holdings: Holdings) -> None:
        listed = self._listed(change, snapshot, "managed_policy_arns")
        holdings.managed |= self._managed_list(change, snapshot, "managed_policy_arns", listed)

    def _managed_list(
        self, change: ResourceChange, snapshot: Snapshot, attribute: str, listed: Value
    ) -> dict[Name, Held]:
        """Return the managed policies that a list names; unknown ones are those the configuration refers to."""
        values = [listed] if listed is UNKNOWN else items(listed)
        listed_policies: dict[Name, Held] = {}
        for value in values:
            if value is not UNKNOWN:
                if arn := name(value):
                    listed_policies[arn] = self._managed(arn, snapshot)._replace(address=change.address)
                continue
            target = self._target(change, attribute, "aws_iam_policy")
            for address in target.addresses:
                self._attached.add(address)
                document = self._by_address["aws_iam_policy"][address].get(snapshot, "policy")
                listed_policies[address] = held(document, address=change.address)
            if target.others or not target.addresses:
                listed_policies[f"of {change.address}"] = Held(None, Gap.WHICH_UNKNOWN, address=change.address)
        return listed_policies

    def _each_snapshot(
        self, kind: RoleKind, part: str, attribute: str, put: Callable[[ResourceChange, Snapshot, Role], None]
    ) -> None:
        """Call `put` with each resource of the type of a kind's part, and with the role that an attribute names."""
        for change in self._by_type.get(f"aws_iam_{kind}{part}", ()):
            for snapshot in SNAPSHOTS:
                if snapshot in change.snapshots:
                    role = self._role(change, snapshot, attribute, kind)
                    role.declared[change.address] = change
                    put(change, snapshot, role)

    def _remove_deleted(self) -> None:
        """Remove policies that resources no longer grant from roles whose own attributes still list them.

        Where another resource of the plan creates the same policy, Terraform does not order the two: the policy is
        kept as created, which is the wider outcome, and recorded as readdressed.
        """
        for role in self._roles.values():
            granted = self._granted.get(id(role), {})
            after = granted.get("after", {})
            for address, policy in granted.get("before", {}).items():
                addresses = [other for other, name in after.items() if name == policy]
                if not addresses:
                    had, policies = (each.of_kind(policy.kind) for each in (role.before, role.after))
                    if (left := policies.get(policy.name)) and left.says_the_same(had.get(policy.name, NOTHING)):
                        del policies[policy.name]  # else the role's own list writes it
                elif address not in addresses and "create" in role.declared[addresses[0]].actions:
                    role.readdressed[policy] = (address, addresses[0])

    def _keep_attached(self) -> None:
        """Give roles the policies that the plan deletes and that they get: AWS refuses to delete what is attached."""
        deleted = {arn: each for arn, each in self._policies.items() if "after" not in each.snapshots}
        for managed, had in ((role.after.managed, role.before.managed) for role in self._roles.values()):
            for arn in [arn for arn in managed if arn in deleted and arn not in had]:
                managed[arn] = held(deleted[str(arn)].get("before", "policy"), address=managed[arn].address)

    def _grant(self, change: ResourceChange, snapshot: Snapshot, role: Role, policy: PolicyName, held: Held) -> None:
        """Add a policy to a role, and remember the resource that grants it."""
        self._granted.setdefault(id(role), {}).setdefault(snapshot, {})[change.address] = policy
        policies = role.on(snapshot).of_kind(policy.kind)
        held, other = held._replace(address=change.address), policies.get(policy.name)
        if snapshot == "after" and policy.kind == "inline" and other and self._is_written(role, policy.name, other):
            if change.is_forgotten:
                return  # it writes nothing
            if not other.says_the_same(held):
                # evaluated both, because Terraform may apply them in any order
                policies[f"{shown(policy.name)} of {other.address}"] = other
                role.writers[policy] = (*role.writers.get(policy, (other.address,)), held.address)
        policies[policy.name] = held

    def _is_written(self, role: Role, policy: Name, held: Held) -> bool:
        """Return whether the resource of a policy writes it: a role may list what another resource wrote."""
        if other := role.declared.get(held.address):
            return not other.is_forgotten
        lists = [self._listed(role.change, each, "inline_policy") for each in SNAPSHOTS] if role.change else []
        blocks = [[each for each in map(attributes, items(of)) if name(each.get("name")) == policy] for of in lists]
        return bool(blocks) and blocks[0] != blocks[1]

    def _role(self, change: ResourceChange, snapshot: Snapshot, attribute: str, kind: RoleKind) -> Role:
        value = name(change.get(snapshot, attribute))
        address = self._target(change, attribute, f"aws_iam_{kind}").single
        if value is None:
            if address in self._roles:
                return self._roles[address]
            return self._unmanaged(kind, f"address {change.address}", f"the {kind} of {change.address}")
        return self._named(kind, value, change, snapshot, address)

    def _named(
        self, kind: RoleKind, value: Name, change: ResourceChange, snapshot: Snapshot, address: str | None = None
    ) -> Role:
        """Return the role of a name: among several, the one referred to, of the same provider or module."""
        candidates = self._by_name.get((kind, _key(value)), [])
        # a replacement that forgets the old role leaves two of one name: what is forgotten too stays with the old one
        existing = [role for role in candidates if role.change and snapshot in role.change.snapshots]
        alike = [role for role in existing if role.change and role.change.is_forgotten is change.is_forgotten]
        candidates = alike or existing or candidates
        provider = self._providers.key(change)
        if provider:
            candidates = [
                role for role in candidates if role.change and self._providers.key(role.change) in ("", provider)
            ]
        for narrowed in (
            [role for role in candidates if role.change and role.change.address == address],
            candidates,
            [role for role in candidates if role.change and role.change.module == change.module],
        ):
            if len(narrowed) == 1:
                return narrowed[0]
        title = value if isinstance(value, str) else f"the {kind} of {change.address}"
        return self._unmanaged(kind, f"name {provider} {_key(value)}", title)

    def _unmanaged(self, kind: RoleKind, key: str, title: str) -> Role:
        """Return a role that the plan does not manage; it exists before and after."""
        role = self._roles.setdefault(f"{kind} {key}", Role(title, kind))
        role.before.exists = role.after.exists = True
        return role

    def _inline(self, change: ResourceChange, snapshot: Snapshot, role: Role) -> None:
        key = name(change.get(snapshot, "name")) or change.address
        self._grant(change, snapshot, role, PolicyName("inline", key), held(change.get(snapshot, "policy")))

    def _shared_attachment(self, change: ResourceChange) -> None:
        for snapshot in SNAPSHOTS:
            for kind in IDENTITY_KINDS:
                listed = change.get(snapshot, f"{kind}s")
                for value in [listed] if listed is UNKNOWN else items(listed):
                    for role in self._roles_of_shared(change, snapshot, kind, value):
                        role.declared[change.address] = change
                        self._attach(change, snapshot, role)

    def _roles_of_shared(self, change: ResourceChange, snapshot: Snapshot, kind: RoleKind, value: Value) -> list[Role]:
        """Return the role of a name, or every role that an unknown value may refer to."""
        if value is not UNKNOWN:
            return [self._named(kind, known, change, snapshot)] if (known := name(value)) else []
        target = self._target(change, f"{kind}s", f"aws_iam_{kind}")
        possible = [self._roles[address] for address in target.addresses]
        if target.others or not possible:
            title = f"the {kind}s of {change.address}"
            possible.append(self._unmanaged(kind, f"address {change.address}", title))
        return possible

    def _attach(self, change: ResourceChange, snapshot: Snapshot, role: Role) -> None:
        value = change.get(snapshot, "policy_arn")
        arn = name(value)
        address = self._target(change, "policy_arn", "aws_iam_policy").single
        policy = self._by_address["aws_iam_policy"][address] if address else None
        key: Name
        if arn:
            key, policy_held = arn, self._managed(arn, snapshot, policy)
        elif policy:
            self._attached.add(policy.address)
            key, policy_held = policy.address, held(policy.get(snapshot, "policy"))
        else:
            key, policy_held = f"of {change.address}", Held(None, Gap.WHICH_UNKNOWN)
        self._grant(change, snapshot, role, PolicyName("managed", key), policy_held)

    def _managed(self, arn: Name, snapshot: Snapshot, policy: ResourceChange | None = None) -> Held:
        if isinstance(arn, Hidden):
            return Held(None, Gap.WHICH_HIDDEN, hidden=arn)
        # nobody else writes AWS's own policies, although they can be imported
        policy = None if ":iam::aws:policy/" in arn else self._policies.get(arn) or policy
        if policy:
            self._attached.add(policy.address)
            return held(policy.get(snapshot, "policy")) if snapshot in policy.snapshots else NOTHING
        if known := datasets.managed_policy(arn):
            elsewhere = "" if arn.startswith("arn:aws:") else ", as in the partition aws"
            return Held(known.policy, note=f"{known.version} of {known.updated}{elsewhere}")
        if document := self._plan.known_policies.get(arn):
            return held(document)
        if ":iam::aws:policy/" in arn:
            return Held(None, Gap.NOT_IN_DATA_SET, f"of {datasets.managed_policies_date()}")
        return Held(None, Gap.NOT_IN_PLAN)

    def _exclusive_inline(self, change: ResourceChange, snapshot: Snapshot, role: Role) -> None:
        listed = change.get(snapshot, "policy_names")
        self._exclusive(change, snapshot, role, listed, role.on(snapshot).inline)

    def _exclusive_managed(self, change: ResourceChange, snapshot: Snapshot, role: Role) -> None:
        listed = change.get(snapshot, "policy_arns")
        for key, policy in self._managed_list(change, snapshot, "policy_arns", listed).items():
            role.on(snapshot).managed.setdefault(key, policy)
        self._exclusive(change, snapshot, role, listed, role.on(snapshot).managed)

    def _exclusive(
        self, change: ResourceChange, snapshot: Snapshot, role: Role, listed: Value, policies: dict[Name, Held]
    ) -> None:
        """Remove the policies that an exclusive set does not list, unless a resource of the plan grants them."""
        if snapshot == "before" or isinstance(listed, Unknown) or change.is_forgotten:
            return
        named = {known for value in items(listed) if (known := name(value))}
        declared = {address for address, other in role.declared.items() if "after" in other.snapshots}
        had = role.before.inline if policies is role.after.inline else role.before.managed
        for key in [key for key in policies if key not in named]:
            # what the role itself gets may come after the exclusive set
            if policies[key].address not in declared and policies[key].says_the_same(had.get(key, NOTHING)):
                del policies[key]
        if "create" in change.actions and not role.change:
            role.claimed.append(change.address)

    def _alone(self, change: ResourceChange) -> Role:
        title = change.text("before", "name") or change.text("after", "name") or change.address
        role = Role(title, "policy", declared={change.address: change})
        for snapshot in SNAPSHOTS:
            holdings = role.on(snapshot)
            holdings.exists = snapshot in change.snapshots
            if snapshot in change.snapshots:
                holdings.managed[title] = held(change.get(snapshot, "policy"), address=change.address)
        return role


def _key(of: Name) -> str:
    """Return what two spellings of one role name have in common; it is never shown."""
    return (of if isinstance(of, str) else text(of.content)).lower()
