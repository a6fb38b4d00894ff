import { excludeRunnerTraffic, execStream, filterForPod } from '../../capture/filter/node-filter.ts'
import { nodePodRecorder } from '../../capture/recorders/node-job.ts'
import type { Recorder } from '../../capture/recorders/recorder.ts'
import { missingRights, nodePodRights, rightsProblem } from '../../cluster/rights.ts'
import type { TargetOnNode } from '../../cluster/target-problems.ts'
import { planRecord, type TargetContext } from './capture-record.ts'
import { requesting, runCheck, type CheckResult } from './check.ts'
import { apiServerConnection, hasOwnAddresses, kubeletPort, nodeHint, quotedFilters, readNode } from './node-traffic.ts'
import { findRunnerTraffic } from './runner-traffic.ts'

/** Whether a pod in the network of the node can be created for the capture. */
export function checkNodePod(context: TargetContext, target: TargetOnNode): Promise<CheckResult<Recorder>> {
  const { cluster, request, identity } = context
  const { connection } = cluster
  const namespace = request.nodeNamespace
  const explain = requesting(connection, `a dry run of the node pod in ${JSON.stringify(namespace)}`)
  return runCheck(explain, async ({ findings, problems, hints }) => {
    const missing = await missingRights(connection, namespace, nodePodRights)
    if (missing.length > 0) {
      const rbacFile = 'docs/rbac/platform.yaml'
      problems.push(rightsProblem(connection, { identity: identity.user, namespace, missing, rbacFile }))
      return undefined
    }
    findings.push(`Rights in ${namespace}: all ${nodePodRights.length} that are needed`)
    const node = hasOwnAddresses(target) ? undefined : await readNode(context, target)
    const traffic = await findRunnerTraffic([await apiServerConnection(cluster)], node, process.env)
    const excluded = execStream(kubeletPort(node), traffic)
    const filter = hasOwnAddresses(target)
      ? filterForPod(target.facts, request.filter, traffic)
      : excludeRunnerTraffic(excluded, request.filter)
    const record = await planRecord(context, target, { method: { kind: 'node-pod', namespace }, filter })
    const recorder = nodePodRecorder(connection, record, namespace)
    findings.push(...(await recorder.check()))
    hints.push(nodeHint(target, quotedFilters(excluded)))
    return recorder
  })
}
