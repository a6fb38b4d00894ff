import { excludeRunnerTraffic, filterForPod, runnerTrafficExpressions } from '../../capture/filter/node-filter.ts'
import type { Recorder } from '../../capture/recorders/recorder.ts'
import type { TargetOnNode } from '../../cluster/target-problems.ts'
import { ConfigurationError } from '../../common/errors.ts'
import { planRecord, type TargetContext } from './capture-record.ts'
import { requesting, runCheck, type CheckResult } from './check.ts'
import { apiServerConnection, hasOwnAddresses, nodeHint, quotedFilters, readNode } from './node-traffic.ts'
import { findRunnerTraffic } from './runner-traffic.ts'

/** Whether the runner can capture on the node by SSH; Google's part is loaded only here. */
export function checkNodeSsh(context: TargetContext, target: TargetOnNode): Promise<CheckResult<Recorder>> {
  const { cluster, request } = context
  const explain = requesting(cluster.connection, `the node ${JSON.stringify(target.node)} for SSH`)
  return runCheck(explain, async ({ findings, hints }) => {
    if (cluster.autopilot === true) throw autopilotNodes()
    const node = await readNode(context, target)
    const { parseProviderId } = await import('../../google/compute/provider-id.ts')
    const name = parseProviderId(node.spec?.providerID, target.node)
    if (/^gk3-/.test(name.name)) throw autopilotNodes()
    const { GoogleNodeAccess } = await import('../google-node-access.ts')
    const { NodeSshRecorder } = await import('../../capture/recorders/ssh/recorder.ts')
    const access = new GoogleNodeAccess(await cluster.google(), process.env)
    const planned = await access.planLoginTo(name)
    const relay = { server: access.relay, agent: (await access.relayProxy())?.agent }
    const traffic = await findRunnerTraffic([relay, await apiServerConnection(cluster)], node, process.env)
    const expressions = runnerTrafficExpressions(traffic)
    const filter = hasOwnAddresses(target)
      ? filterForPod(target.facts, request.filter, traffic)
      : excludeRunnerTraffic(expressions, request.filter)
    const method = { kind: 'ssh', login: planned.saved, whole: !hasOwnAddresses(target) } as const
    const record = await planRecord(context, target, { method, filter })
    const recorder = new NodeSshRecorder(access, record, { planned })
    findings.push(...(await recorder.check()))
    hints.push(nodeHint(target, ['the SSH connection that carries the capture', ...quotedFilters(expressions)]))
    return recorder
  })
}

function autopilotNodes(): ConfigurationError {
  return new ConfigurationError({
    code: 'E_NODE_AUTOPILOT',
    input: 'node-method',
    problem: 'the nodes of a GKE Autopilot cluster do not allow SSH',
    fix: 'Use `level: pod`.',
  })
}
