"""The CDKTF classes this project is built of, each loaded when it is first asked for.

    from fast_cdktf.bindings import IamRole, TerraformStack

Whoever needs another class adds it to the imports and the two lists below.

Environment variables:
    GLUE_SESSIONS_CDK: `cdktf` (the default) or `cdktn`, which is CDK Terrain, its maintained successor.
    GLUE_SESSIONS_PLAIN_BINDINGS: `1` to leave jsii as it is and import the AWS provider whole, as is documented.
    JSII_NODE: the Node to run; by default the one that comes with the Python environment.
    JSII_RUNTIME: the JavaScript that jsii has it run, if it is left as it is.
"""

import atexit
import gc
import importlib
import os
import sys
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from importlib.util import find_spec
from types import ModuleType
from typing import TYPE_CHECKING, Any

from fast_cdktf._node import UnknownJsiiError, environment_for_node, kernel_process, start_ahead
from fast_cdktf._provider_subset import UnknownLayoutError, use_subset

if TYPE_CHECKING:
    from cdktf import (
        App,
        Postcondition,
        Precondition,
        S3Backend,
        TerraformResourceLifecycle,
        TerraformStack,
        Testing,
    )
    from cdktf_cdktf_provider_aws.data_aws_caller_identity import DataAwsCallerIdentity
    from cdktf_cdktf_provider_aws.data_aws_iam_role import DataAwsIamRole
    from cdktf_cdktf_provider_aws.iam_openid_connect_provider import (
        IamOpenidConnectProvider,
    )
    from cdktf_cdktf_provider_aws.iam_role import IamRole
    from cdktf_cdktf_provider_aws.iam_role_policy import IamRolePolicy
    from cdktf_cdktf_provider_aws.iam_role_policy_attachment import (
        IamRolePolicyAttachment,
    )
    from cdktf_cdktf_provider_aws.provider import (
        AwsProvider,
        AwsProviderAssumeRole,
    )
    from cdktf_cdktf_provider_aws.s3_bucket import S3Bucket
    from cdktf_cdktf_provider_aws.s3_bucket_lifecycle_configuration import (
        S3BucketLifecycleConfiguration,
        S3BucketLifecycleConfigurationRule,
        S3BucketLifecycleConfigurationRuleAbortIncompleteMultipartUpload,
        S3BucketLifecycleConfigurationRuleExpiration,
        S3BucketLifecycleConfigurationRuleFilter,
        S3BucketLifecycleConfigurationRuleNoncurrentVersionExpiration,
    )
    from cdktf_cdktf_provider_aws.s3_bucket_policy import S3BucketPolicy
    from cdktf_cdktf_provider_aws.s3_bucket_public_access_block import (
        S3BucketPublicAccessBlock,
    )
    from cdktf_cdktf_provider_aws.s3_bucket_server_side_encryption_configuration import (
        S3BucketServerSideEncryptionConfigurationA,
        S3BucketServerSideEncryptionConfigurationRuleA,
        S3BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultA,
    )
    from cdktf_cdktf_provider_aws.s3_bucket_versioning import (
        S3BucketVersioningA,
        S3BucketVersioningVersioningConfiguration,
    )
    from constructs import Construct

__all__ = [
    "App",
    "AwsProvider",
    "AwsProviderAssumeRole",
    "Construct",
    "DataAwsCallerIdentity",
    "DataAwsIamRole",
    "IamOpenidConnectProvider",
    "IamRole",
    "IamRolePolicy",
    "IamRolePolicyAttachment",
    "Postcondition",
    "Precondition",
    "S3Backend",
    "S3Bucket",
    "S3BucketLifecycleConfiguration",
    "S3BucketLifecycleConfigurationRule",
    "S3BucketLifecycleConfigurationRuleAbortIncompleteMultipartUpload",
    "S3BucketLifecycleConfigurationRuleExpiration",
    "S3BucketLifecycleConfigurationRuleFilter",
    "S3BucketLifecycleConfigurationRuleNoncurrentVersionExpiration",
    "S3BucketPolicy",
    "S3BucketPublicAccessBlock",
    "S3BucketServerSideEncryptionConfigurationA",
    "S3BucketServerSideEncryptionConfigurationRuleA",
    "S3BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultA",
    "S3BucketVersioningA",
    "S3BucketVersioningVersioningConfiguration",
    "TerraformResourceLifecycle",
    "TerraformStack",
    "Testing",
]

# The interpreter ends by searching all that jsii has made for garbage, which takes a tenth of a short run.
atexit.register(gc.freeze)

# What is taken of the provider. A class's name begins with its submodule's: IamRole is in iam_role.
_SUBMODULES = (
    "data_aws_caller_identity",
    "data_aws_iam_role",
    "iam_openid_connect_provider",
    "iam_role",
    "iam_role_policy",
    "iam_role_policy_attachment",
    "provider",
    "s3_bucket",
    "s3_bucket_lifecycle_configuration",
    "s3_bucket_policy",
    "s3_bucket_public_access_block",
    "s3_bucket_server_side_encryption_configuration",
    "s3_bucket_versioning",
)

# The library, its AWS provider, and what that provider's submodules need beside themselves.
_PAIRS: dict[str, tuple[str, tuple[str, ...]]] = {
    "cdktf": ("cdktf_cdktf_provider_aws", ()),
    "cdktn": ("cdktn_provider_aws", ("provider_functions",)),
}

if not TYPE_CHECKING:  # to a type checker, only what is imported above exists

    def __getattr__(name: str) -> Any:
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        with environment_for_node():
            _kernel()
            value = getattr(importlib.import_module(_module_of(name)), name)
        globals()[name] = value
        return value


def load_ahead() -> None:
    """Start Node and have it read the library, while Python does something that needs neither."""
    if not _is_jsii_left_alone():
        start_ahead(["constructs", _library()])


def without_waiting() -> AbstractContextManager[None]:
    """Have constructs that are made in this block be made while Python goes on with the next; all are made at its end.

    An error of one is raised by a later call in the block, or at its end, with a note of where its own call stands.
    """
    kernel = _kernel()
    return nullcontext() if kernel is None else kernel.without_waiting()


def _module_of(name: str) -> str:
    if name == "Construct":
        return "constructs"
    prefixes = {submodule.title().replace("_", ""): submodule for submodule in _SUBMODULES}
    prefixes["AwsProvider"] = prefixes.pop("Provider")
    if matching := [prefix for prefix in prefixes if name.startswith(prefix)]:
        return f"{_provider()}.{prefixes[max(matching, key=len)]}"
    return _library()


@cache
def _library() -> str:
    name = os.environ.get("GLUE_SESSIONS_CDK") or "cdktf"
    if name not in _PAIRS:
        print(f'set GLUE_SESSIONS_CDK to "cdktf" or "cdktn", got "{name}"', file=sys.stderr)
    elif find_spec(name) is None:
        print(
            f"{name} is not installed here: install it, or set GLUE_SESSIONS_CDK to the library that is",
            file=sys.stderr,
        )
    else:
        return name
    raise SystemExit(2)


@cache
def _kernel() -> ModuleType | None:
    """Return what jsii talks to its kernel by, from the first call on; None if jsii is left as it is."""
    if _is_jsii_left_alone():
        return None
    try:
        process = kernel_process()
    except (UnknownJsiiError, OSError) as error:
        _tell_slow(str(error))
        return None
    from fast_cdktf import _kernel as kernel  # reaches into jsii, which must be known for that

    kernel.use(process)
    return kernel


@cache
def _provider() -> str:
    """Return the provider's package, prepared so that importing a submodule of it loads no other."""
    package, needed = _PAIRS[_library()]
    if not _is_plain():
        try:
            use_subset(package, {*_SUBMODULES, *needed})
        except (UnknownLayoutError, OSError) as error:
            _tell_slow(str(error))
    return package


def _is_plain() -> bool:
    return os.environ.get("GLUE_SESSIONS_PLAIN_BINDINGS") == "1"


def _is_jsii_left_alone() -> bool:
    started = "constructs" in sys.modules  # by another import than this module's
    return _is_plain() or started or "JSII_RUNTIME" in os.environ or os.name != "posix"


@cache
def _tell_slow(why: str) -> None:
    print(f"the bindings are loaded the slow way: {why}", file=sys.stderr)
