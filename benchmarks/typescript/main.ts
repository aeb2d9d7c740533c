// One role's stack as CDKTF's documentation writes TypeScript. It reads its contents from the file that BENCHMARK_STACK
// names, a stack this project has synthesized, so that both synthesize the same.
import { readFileSync } from "fs";
import { App, S3Backend, TerraformStack } from "cdktf";
import { Construct } from "constructs";
import { DataAwsIamRole } from "@cdktf/provider-aws/lib/data-aws-iam-role";
import { IamRole } from "@cdktf/provider-aws/lib/iam-role";
import { IamRolePolicy } from "@cdktf/provider-aws/lib/iam-role-policy";
import { IamRolePolicyAttachment } from "@cdktf/provider-aws/lib/iam-role-policy-attachment";
import { AwsProvider } from "@cdktf/provider-aws/lib/provider";

const wanted = JSON.parse(readFileSync(process.env.BENCHMARK_STACK!, "utf8"));

class GlueSessionsStack extends TerraformStack {
  constructor(scope: Construct, id: string) {
    super(scope, id);

    const provider = wanted.provider.aws[0];
    new AwsProvider(this, "aws", {
      region: provider.region,
      retryMode: provider.retry_mode,
    });

    const { backend, ...terraform } = wanted.terraform;
    new S3Backend(this, {
      bucket: backend.s3.bucket,
      key: backend.s3.key,
      region: backend.s3.region,
      encrypt: backend.s3.encrypt,
      usePathStyle: backend.s3.use_path_style,
    });
    this.addOverride("terraform", { ...terraform, backend: { s3: { use_lockfile: true } } });

    const live = wanted.data.aws_iam_role.live;
    new DataAwsIamRole(this, "live", {
      name: live.name,
      lifecycle: {
        postcondition: live.lifecycle.postcondition.map((each: Record<string, string>) => ({
          condition: each.condition,
          errorMessage: each.error_message,
        })),
      },
    });

    const role = wanted.resource.aws_iam_role.execution_role;
    const adopted = new IamRole(this, "execution_role", {
      name: role.name,
      assumeRolePolicy: role.assume_role_policy,
      lifecycle: {
        preventDestroy: role.lifecycle.prevent_destroy,
        ignoreChanges: role.lifecycle.ignore_changes,
      },
    });

    const attached = wanted.resource.aws_iam_role_policy_attachment.glue_sessions;
    const attachment = new IamRolePolicyAttachment(this, "glue_sessions", {
      role: attached.role,
      policyArn: attached.policy_arn,
      dependsOn: [adopted],
    });

    const policy = wanted.resource.aws_iam_role_policy.glue_sessions;
    new IamRolePolicy(attachment, "Default", {
      role: policy.role,
      name: policy.name,
      policy: policy.policy,
      dependsOn: [adopted],
    });

    for (const block of ["import", "check", "locals"]) {
      this.addOverride(block, wanted[block]);
    }
  }
}

const app = new App();
new GlueSessionsStack(app, wanted["//"].metadata.stackName);
app.synth();
