import { join } from 'node:path'
import { addContainer, recordOf, type CaptureRecord } from './capture/capture.ts'
import { containerName, spoolLimitFor, type CapturePlan } from './capture/container.ts'
import { checkFilterHere, widerFilter } from './capture/filter.ts'
import { endRemains, findRemains } from './capture/remains.ts'
import { missingRights, nameOf, rightsFor, rightsProblem, whoAmI } from './cluster/access.ts'
import { call } from './cluster/api.ts'
import type { Connection } from './cluster/connection.ts'
import { findTargets, type Target } from './cluster/target.ts'
import { ConfigurationError } from './errors.ts'
import { formatSize } from './quantities.ts'
import type { Request } from './request.ts'
import { defaultArtifactName, type Job } from './runner/job.ts'
import type { Log } from './runner/log.ts'

/** What a run may begin with: everything that can be refused has been asked for, and nothing is made. */
export interface Prepared {
  readonly records: readonly CaptureRecord[]
  readonly hints: readonly string[]
  /** what was checked and found, one line each, for the summary of `preflight: only` */
  readonly findings: readonly string[]
}

/**
 * Looks at everything that could stand in the way, each check whatever the others found.
 * @throws ConfigurationError with all problems at once
 */
export async function preflight(connection: Connection, request: Request, job: Job, log: Log): Promise<Prepared> {
  const namespace = request.namespace ?? connection.namespace ?? 'default'
  const findings: string[] = []
  const problems: string[] = []
  const found = (line: string): void => {
    findings.push(line)
    log.info(line)
  }
  /** What the user can mend is collected; anything else ends the run. */
  const attempt = async <T>(check: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await check()
    } catch (error) {
      if (!(error instanceof ConfigurationError)) throw error
      problems.push(error.message)
      return undefined
    }
  }

  found(`Cluster: ${connection.description}`)
  const identity = await whoAmI(connection)
  if (identity !== undefined) found(`Identity: ${identity}`)

  const rights = rightsFor(request.target.kind)
  const missing = await missingRights(connection, namespace, rights)
  if (missing.length > 0) problems.push(rightsProblem(connection, identity, namespace, missing))
  else found(`Rights in ${namespace}: all ${rights.length} that are needed`)
  const may = (verb: string, resource: string): boolean =>
    !missing.some((right) => right.verb === verb && nameOf(right) === resource)

  await attempt(async () => {
    const checked = await checkFilterHere(request.filter, request.interface)
    found(`Filter: ${request.filter || 'none'}${checked ? ' (compiles on this runner)' : ''}`)
  })

  // Without the right to read a pod the answer is known already.
  const readable =
    may('get', 'pods') && (request.target.kind === 'pod' || (may('get', 'deployments') && may('list', 'pods')))
  const targets = readable
    ? await attempt(() => findTargets(connection, namespace, request.target, request))
    : undefined
  const records: CaptureRecord[] = []
  const hints: string[] = []
  for (const target of targets ?? []) {
    found(`Target: pod ${target.pod} in ${target.namespace} on node ${target.node}`)
    const serverTime = await timeOf(connection, target)
    const record = recordFor(request, job, target, serverTime)
    const { spoolLimit } = record.plan
    if (spoolLimit < request.spoolLimit) {
      found(
        `Spool: at most ${formatSize(spoolLimit)} of the node's disk, because of the pod's ephemeral-storage limits`,
      )
    }
    if (may('patch', 'pods/ephemeralcontainers')) {
      await attempt(async () => {
        await addContainer(connection, record, true)
        found('Admission: the cluster would take the capture container')
      })
    }
    const wider = widerFilter(target.facts, request.filter)
    if (wider !== undefined) {
      hints.push(
        `The pod has a sidecar: the filter misses the plaintext requests that the app sends (they go to 127.0.0.1:15001). With \`${wider}\` they are there, too.`,
      )
    }
    records.push(record)
  }
  if (problems.length > 0) throw new ConfigurationError(together(problems))
  for (const hint of hints) log.info(`Hint: ${hint}`)
  if (request.preflight === 'on') await clearRemains(connection, targets ?? [], job, log)
  return { records, hints, findings }
}

function together(problems: readonly string[]): string {
  const [first] = problems
  if (first !== undefined && problems.length === 1) return first
  return `${problems.length} things stand in the way. Nothing was created.\n${problems.map((problem) => `- ${problem.replaceAll(' Nothing was created.', '')}`).join('\n')}`
}

/** The API server's clock, ms since the epoch: the deadline in the pod is counted by it, for runners' clocks are off. */
async function timeOf(connection: Connection, { namespace, pod }: Target): Promise<number> {
  const { serverTime } = await call(connection, 'GET', `/api/v1/namespaces/${namespace}/pods/${pod}`)
  return serverTime ?? Date.now()
}

async function clearRemains(connection: Connection, targets: readonly Target[], job: Job, log: Log): Promise<void> {
  for (const target of targets) {
    for (const container of findRemains(target, job.repository, await timeOf(connection, target))) {
      log.info(await endRemains(connection, target, container))
    }
  }
}

function recordFor(request: Request, job: Job, target: Target, serverTime: number): CaptureRecord {
  const plan: CapturePlan = {
    filter: request.filter,
    interface: request.interface,
    snaplen: request.snaplen,
    duration: request.limits.duration,
    size: request.limits.size,
    packets: request.limits.packets,
    image: request.image,
    capabilities: request.capabilities,
    startTimeout: request.startTimeout,
    ownerTimeout: request.ownerTimeout,
    spoolLimit: spoolLimitFor(target, request.spoolLimit),
  }
  const name = request.artifactName ?? defaultArtifactName(target.pod, job)
  return recordOf(target, containerName(job.repository), plan, join(job.temp, `${name}.pcap`), serverTime)
}
