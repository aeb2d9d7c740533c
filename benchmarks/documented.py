#!/usr/bin/env python
"""One role's stack as CDKTF's documentation writes Python: a separate program, with plain imports.

It reads its contents from the file that BENCHMARK_STACK names, a stack this project has synthesized, so that both
synthesize the same.
"""

import json
import os
from pathlib import Path

from cdktf import App, Postcondition, Precondition, S3Backend, TerraformResourceLifecycle, TerraformStack
from cdktf_cdktf_provider_aws.data_aws_iam_role import DataAwsIamRole
from cdktf_cdktf_provider_aws.iam_role import IamRole
from cdktf_cdktf_provider_aws.iam_role_policy import IamRolePolicy
from cdktf_cdktf_provider_aws.iam_role_policy_attachment import IamRolePolicyAttachment
from cdktf_cdktf_provider_aws.provider import AwsProvider
from constructs import Construct

WANTED = json.loads(Path(os.environ["BENCHMARK_STACK"]).read_text())


class GlueSessionsStack(TerraformStack):
    """The grants of one role."""

    def __init__(self, scope: Construct, id_: str) -> None:
        super().__init__(scope, id_)

        provider = WANTED["provider"]["aws"][0]
        AwsProvider(
            self,
            "aws",
            region=provider["region"],
            retry_mode=provider["retry_mode"],
            max_retries=provider["max_retries"],
        )

        terraform = dict(WANTED["terraform"])
        backend = terraform.pop("backend")["s3"]
        S3Backend(
            self,
            bucket=backend["bucket"],
            key=backend["key"],
            region=backend["region"],
            encrypt=backend["encrypt"],
            use_path_style=backend.get("use_path_style"),
        )
        self.add_override("terraform", {**terraform, "backend": {"s3": {"use_lockfile": True}}})

        live = WANTED["data"]["aws_iam_role"]["live"]
        DataAwsIamRole(
            self,
            "live",
            name=live["name"],
            lifecycle=TerraformResourceLifecycle(
                postcondition=[Postcondition(**each) for each in live["lifecycle"]["postcondition"]]
            ),
        )

        wanted_read = WANTED["data"]["aws_iam_role"]["before_writing"]
        before_writing = DataAwsIamRole(self, "before_writing", name=wanted_read["name"])
        before_writing.add_override("count", wanted_read["count"])

        wanted_role = WANTED["resource"]["aws_iam_role"]["execution_role"]
        role = IamRole(
            self,
            "execution_role",
            name=wanted_role["name"],
            assume_role_policy=wanted_role["assume_role_policy"],
            lifecycle=TerraformResourceLifecycle(
                prevent_destroy=wanted_role["lifecycle"]["prevent_destroy"],
                ignore_changes=wanted_role["lifecycle"]["ignore_changes"],
                precondition=[Precondition(**each) for each in wanted_role["lifecycle"]["precondition"]],
            ),
        )

        attached = WANTED["resource"]["aws_iam_role_policy_attachment"]["glue_sessions"]
        attachment = IamRolePolicyAttachment(
            self, "glue_sessions", role=attached["role"], policy_arn=attached["policy_arn"], depends_on=[role]
        )

        policy = WANTED["resource"]["aws_iam_role_policy"]["glue_sessions"]
        IamRolePolicy(
            attachment,
            "Default",
            role=policy["role"],
            name=policy["name"],
            policy=policy["policy"],
            lifecycle=TerraformResourceLifecycle(
                postcondition=[Postcondition(**each) for each in policy["lifecycle"]["postcondition"]]
            ),
            depends_on=[role],
        )

        for block in ("import", "check", "locals"):
            self.add_override(block, WANTED[block])


app = App()
GlueSessionsStack(app, WANTED["//"]["metadata"]["stackName"])
app.synth()
