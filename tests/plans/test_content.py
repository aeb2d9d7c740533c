"""The content of a plan file: read in every encoding, and named for what it is if it is no plan."""

import gzip
import io
import json
import tarfile
from typing import Any

import pytest

from plans.content import MAX_DEPTH, load
from tests.plan_builder import GLUE, SAGEMAKER, plan, role, trust

PLAN = plan(role(trust(SAGEMAKER), trust(SAGEMAKER, GLUE)))
LOG = (
    b'{"@level":"info","@message":"Terraform 1.12.2","@module":"terraform.ui","type":"version","ui":"1.2"}\n'
    b'{"@level":"info","@message":"aws_iam_role.r: Plan to create","@module":"terraform.ui","type":"planned_change"}\n'
)
STATE = {"version": 4, "terraform_version": "1.12.2", "serial": 1, "lineage": "a", "outputs": {}, "resources": []}


def archive() -> bytes:
    """Return HCP Terraform's plan export: a gzip archive of mock data for Sentinel."""
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w:gz") as files:
        files.addfile(tarfile.TarInfo("mock-tfplan-v2.sentinel"))
    return target.getvalue()


def body(**parts: Any) -> bytes:
    return json.dumps(parts).encode()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_a_plan_is_read_in_every_encoding(encoding: str) -> None:
    assert load(PLAN.decode().encode(encoding)) == json.loads(PLAN)


def test_a_plan_of_opentofu_is_a_plan() -> None:
    entry = {**role(trust(SAGEMAKER), trust(GLUE)), "provider_name": "registry.opentofu.org/hashicorp/aws"}
    content = plan(entry, terraform_version="1.10.5", timestamp="2026-03-01T00:00:00Z", errored=False)
    assert load(content)["terraform_version"] == "1.10.5"


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (b"", "is empty"),
        (b" \r\n", "is empty"),
        (b"\xef\xbb\xbf", "is empty"),
        (LOG, "is the log of `terraform plan -json`"),
        (LOG.splitlines()[0], "is the log of `terraform plan -json`"),
        (b"\xef\xbb\xbf" + LOG, "is the log of `terraform plan -json`"),
        (LOG.decode().encode("utf-16"), "is the log of `terraform plan -json`"),
        (
            b"\x1b[1mTerraform will perform the following actions:\x1b[0m\n",
            "is what `terraform plan` prints for people",
        ),
        (b"No changes. Your infrastructure matches the configuration.", "is what `terraform plan` prints for people"),
        (
            b"[command]/tmp/terraform-bin show -json plan\n" + PLAN,
            "has text before the JSON, '[command]/tmp/terraform-",
        ),
        (b"10:00:00.000 STDOUT terraform: " + PLAN, "has text before the JSON, '10:00:00.000 STDOUT terraform: {"),
        (PLAN + b"\n::debug::Terraform exited with code 0.\n", "has text after the JSON, '::debug::Terraform exited"),
        (PLAN + b"\n" + PLAN, "holds several JSON documents"),
        (PLAN[:1], "is cut off"),
        (PLAN[:-1], "is cut off"),
        (PLAN[: PLAN.index(b"exec") + 2], "is cut off"),
        (PLAN[: PLAN.index(b"}") + 1], "is cut off"),
        (gzip.compress(PLAN, mtime=0), "is compressed with gzip"),
        (gzip.compress(PLAN, mtime=0)[:12], "is compressed with gzip"),
        (b"\x1f\x8bx", "is compressed with gzip"),
        (archive(), "is a gzip archive, like HCP Terraform's plan export"),
        (body(remote_plan_format=1, run_id="run-a", hostname="app.terraform.io"), "is the bookmark of a plan in HCP"),
        (body(plan_format_version="1.2", resource_changes=[]), "is HCP Terraform's redacted plan"),
        (body(data={"id": "plan-a", "type": "plans"}), "is a response of HCP Terraform's API"),
        (body(meta={}, encrypted_data="a", encryption_version="v0"), "is encrypted by OpenTofu"),
        (body(format_version="1.0", provider_schemas={}), "is a provider schema, not a plan"),
        (body(format_version="1.0", valid=True, diagnostics=[]), "is the result of `terraform validate -json`"),
        (body(format_version="1.0", terraform_version="1.12.2", values={}), "is a state, not a plan"),
        (body(format_version="1.0"), "is a state, not a plan"),
        (body(**STATE), "is a state, not a plan"),
        (b"{}", "is not a plan"),
        (b"null", "is not a plan"),
        (body(role={"sensitive": False, "type": "string", "value": "a"}), "is not a plan"),
        (body(format_version="2.0", resource_changes=[]), 'has format_version "2.0"; supported are "0.x" and "1.x"'),
        (body(format_version=1.2, resource_changes=[]), "has format_version 1.2"),
        (body(format_version=None, resource_changes=[]), "has format_version null"),
        (b"resource {}", "is neither a saved plan nor JSON"),
        (b"\x00\x01\x02\xff\xfe", "is neither a saved plan nor text in UTF-8 or UTF-16"),
        (b'{"format_version": "\xe9"}', "is neither a saved plan nor text in UTF-8 or UTF-16"),
        (b'{"format_version": ' + b"9" * 5_000 + b"}", "has a number of too many digits"),
    ],
)
def test_anything_else_is_named_with_the_remedy(content: bytes, named: str) -> None:
    with pytest.raises(ValueError, match=r"; (supply|run|decompress|supported) ?") as error:
        load(content)
    assert str(error.value).startswith(named)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("levels", [MAX_DEPTH + 1, 900, 5_000, 100_000])
@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
@pytest.mark.parametrize("where", ["%s", '{"format_version": "1.2", "resource_changes": [{"change": %s}]}'])
def test_json_nested_too_deeply_is_refused(where: str, opening: str, closing: str, levels: int) -> None:
    with pytest.raises(ValueError, match="more than 200 levels"):
        load((where % (opening * levels + "0" + closing * levels)).encode())
