import type { Recorder } from '../../capture/recorders/recorder.ts'
import { checkNode, getNode } from '../../cluster/node.ts'
import type { TargetOnNode } from '../../cluster/target-problems.ts'
import { describeCause, renderProblem, type Problem } from '../../common/errors.ts'
import type { TargetContext } from './capture-record.ts'
import { requesting, runCheck, type CheckResult } from './check.ts'
import { checkNodePod } from './node-pod.ts'
import { checkNodeSsh } from './node-ssh.ts'

/** Chooses how the recorder gets onto the node of a target, as `node-method` says, and checks it. Nothing is created. */
export async function checkNodeMethod(context: TargetContext, target: TargetOnNode): Promise<CheckResult<Recorder>> {
  switch (context.request.nodeMethod) {
    case 'ssh':
      return checkNodeSsh(context, target)
    case 'pod':
      return checkNodePod(context, target)
    case 'auto':
      return checkBoth(context, target)
  }
}

/** SSH where the credentials and the cluster allow it, else a node pod, else the problems of both. */
async function checkBoth(context: TargetContext, target: TargetOnNode): Promise<CheckResult<Recorder>> {
  const unsupported = await checkNodeSystem(context, target)
  if (unsupported.problems.length > 0) return unsupported
  const ssh = await checkNodeSsh(context, target)
  if (ssh.value !== undefined) return ssh
  const pod = await checkNodePod(context, target)
  const findings = [...ssh.findings, ...pod.findings]
  if (pod.value !== undefined) {
    const reason = ssh.problems.map(reasonOf).join('; ')
    return { ...pod, findings: [...findings, `Method: a node pod; not SSH, because ${reason}`] }
  }
  return { findings, problems: problemsOfBoth(target.node, ssh.problems, pod.problems) }
}

/** A node that no method can capture on. Without the right to get nodes, each method reports that where it needs it. */
function checkNodeSystem({ cluster }: TargetContext, { node: name }: TargetOnNode): Promise<CheckResult<never>> {
  return runCheck<never>(requesting(cluster.connection, `the node ${JSON.stringify(name)}`), async () => {
    const node = await getNode(cluster.connection, name).catch(() => undefined)
    if (node) checkNode(node, name)
    return undefined
  })
}

/** The cause alone, for the finding that names it; the fix is for those who want the other method. */
function reasonOf(problem: Problem): string {
  const { input, details = [] } = problem
  const cause = input === 'node-method' ? describeCause(problem) : `${input}: ${describeCause(problem)}`
  return details.length === 0 ? cause : `${cause}: ${details.join(', ')}`
}

function problemsOfBoth(node: string, ssh: readonly Problem[], pod: readonly Problem[]): readonly Problem[] {
  const isSame = ssh.map(renderProblem).join('\n') === pod.map(renderProblem).join('\n')
  if (isSame) return ssh
  const both: Problem = {
    code: 'E_NODE_METHOD_UNAVAILABLE',
    input: 'node-method',
    problem: `neither SSH nor a node pod can be used on the node ${JSON.stringify(node)}`,
    fix: 'Fix the problems of one of them, which follow.',
  }
  const named = (method: string) => (problem: Problem) => ({ ...problem, problem: `${method}: ${problem.problem}` })
  return [both, ...ssh.map(named('SSH')), ...pod.map(named('node pod'))]
}
