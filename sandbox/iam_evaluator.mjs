// Decide IAM requests with @cloud-copilot/iam-simulate: reads JSON questions, writes JSON decisions, one per line.
// A separate process that ends when its standard input closes; its argument is the folder of the Python environment,
// beside which npm has installed the package.
import { createRequire } from 'node:module'
import readline from 'node:readline'

const require = createRequire(import.meta.url)
const installed = { paths: [process.argv[2], import.meta.dirname] }
const { runSimulation, runUnsafeSimulation } = require(require.resolve('@cloud-copilot/iam-simulate', installed))

const WRONG_QUESTIONS = ['invalid.action', 'invalid.service', 'invalid.principal']

async function decide(question) {
  const resource = question.resource === '*' ? 'arn:aws:*:*:*:*' : question.resource
  const simulation = {
    identityPolicies: question.identityPolicies,
    permissionBoundaryPolicies: question.permissionsBoundary ?? undefined,
    resourcePolicy: question.resourcePolicy ?? undefined,
    serviceControlPolicies: [],
    resourceControlPolicies: [],
    request: {
      action: question.action,
      principal: question.principal,
      resource: { resource, accountId: question.account },
      contextVariables: question.context,
    },
  }
  let { resultType, errors, overallResult, result } = await runSimulation(simulation, {})
  if (errors?.message === 'must.use.wildcard') { // an action without resource types
    simulation.request.resource.resource = '*';
    ({ resultType, errors, overallResult, result } = await runSimulation(simulation, {}))
  }
  if (resultType === 'single') return describe(overallResult, result.analysis)
  if (WRONG_QUESTIONS.includes(errors?.message)) return { error: errors.message }
  // The simulation above rejects resources that AWS's reference does not list for the action (glue:GetTags of a session).
  // The "unsafe" simulation accepts them, and omits only checks of names, which are done. A `*` in the request would be
  // allowed if anything that it matches is; in IAM it is a plain character, which only a policy's `*` matches.
  simulation.request.resource.resource = resource.replaceAll('*', '-')
  return describe(runUnsafeSimulation(simulation, {}))
}

function describe(result, analysis) {
  return {
    result,
    identity: analysis?.identityAnalysis?.result,
    boundary: analysis?.permissionBoundaryAnalysis?.result,
  }
}

for await (const line of readline.createInterface({ input: process.stdin })) {
  let answer
  try {
    answer = await decide(JSON.parse(line))
  } catch (error) {
    answer = { error: String(error) }
  }
  process.stdout.write(JSON.stringify(answer) + '\n')
}
