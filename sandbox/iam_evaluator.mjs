// Decide IAM requests with @cloud-copilot/iam-simulate: a JSON question a line in, a JSON decision a line out.
// A process of its own, which ends with its standard input.
import readline from 'node:readline'
import { runSimulation, runUnsafeSimulation } from '@cloud-copilot/iam-simulate'

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
  if (errors?.message === 'must.use.wildcard') { // an action that knows no resources
    simulation.request.resource.resource = '*';
    ({ resultType, errors, overallResult, result } = await runSimulation(simulation, {}))
  }
  if (resultType === 'single') return describe(overallResult, result.analysis)
  if (WRONG_QUESTIONS.includes(errors?.message)) return { error: errors.message }
  // Resources that AWS's reference does not list for the action (glue:GetTags of a session) are refused above; the
  // "unsafe" simulation takes them at their word, and what it leaves out, checks of names, is done by now. A `*` in the
  // request would be allowed if anything it matches is; in IAM it is a character, which only a policy's `*` matches.
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
