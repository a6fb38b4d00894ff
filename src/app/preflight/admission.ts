import { widerFilter } from '../../capture/filter/filter.ts'
import { spoolLimitBytesFor } from '../../capture/plan.ts'
import { ephemeralRecorder } from '../../capture/recorders/ephemeral-container.ts'
import type { Recorder } from '../../capture/recorders/recorder.ts'
import type { PodTarget } from '../../cluster/target.ts'
import type { Problem } from '../../common/errors.ts'
import { formatSize } from '../../common/quantities.ts'
import { planRecord, type TargetContext } from './capture-record.ts'
import { requesting, runCheck, type CheckResult } from './check.ts'
import type { MissingRightNames } from './rights.ts'

/** Whether the cluster allows the capture container in a pod; asked by a dry run, for which the right to patch is needed. */
export function checkAdmission(
  context: TargetContext,
  target: PodTarget,
  missing: MissingRightNames,
): Promise<CheckResult<Recorder>> {
  const { cluster, request } = context
  const explain = requesting(
    cluster.connection,
    `a dry run of the capture container in the pod ${JSON.stringify(target.pod)}`,
  )
  return runCheck(explain, async ({ findings, hints, problems }) => {
    const wider = widerFilter(target.facts, request.filter)
    if (wider !== undefined) hints.push(sidecarHint(wider))
    const spoolLimitBytes = spoolLimitBytesFor(target, request.spoolLimitBytes)
    const record = await planRecord(context, target, {
      method: { kind: 'container' },
      filter: request.filter,
      spoolLimitBytes,
      usesRuntimeSeccomp: target.facts.spec?.securityContext?.seccompProfile?.type === 'Localhost',
    })
    if (spoolLimitBytes < request.spoolLimitBytes) {
      const size = formatSize(spoolLimitBytes)
      findings.push(`Spool: at most ${size} of the node's disk, because of the pod's ephemeral-storage limits`)
    }
    const objectBytes = Buffer.byteLength(JSON.stringify(target.facts))
    if (objectBytes > maxObjectBytes) problems.push(objectFull(target, objectBytes))
    const recorder = ephemeralRecorder(cluster.connection, record)
    if (!missing.has('patch pods/ephemeralcontainers')) findings.push(...(await recorder.check()))
    findings.push(
      'Exec: Kubernetes has no dry run of it; the start of the capture container tests it before anything is recorded',
    )
    return recorder
  })
}

/**
 * etcd takes requests of 1.5 MiB at most (etcd, DefaultMaxRequestBytes). A pod keeps each ephemeral container, and a pod that is full can no longer
 * get a status from the kubelet, so 64 kB stay free. Counted as JSON, which is longer than what etcd stores.
 */
const maxObjectBytes = 1.5 * 1024 * 1024 - 64_000

function objectFull({ pod, facts }: PodTarget, objectBytes: number): Problem {
  const count = facts.spec?.ephemeralContainers?.length ?? 0
  return {
    code: 'E_POD_OBJECT_FULL',
    input: 'pod',
    problem:
      `the object of the pod ${JSON.stringify(pod)} has ${formatSize(objectBytes)} and ${count} ephemeral containers, ` +
      'which stay in it until the pod is deleted: another one could be more than etcd stores',
    fix: 'Restart the pod (delete it, so that its workload creates a new one), or capture with `level: node`.',
  }
}

function sidecarHint(wider: string): string {
  return (
    'The pod has a sidecar. The filter does not match the plaintext requests that the app sends to it (to 127.0.0.1:15001). ' +
    `To capture them as well, use the filter \`${wider}\`.`
  )
}
