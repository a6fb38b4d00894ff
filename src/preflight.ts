import { join } from 'node:path'
import { containerName, spoolLimitFor, type CapturePlan } from './capture/container.ts'
import { ephemeralRecorder } from './capture/ephemeral.ts'
import { checkFilterHere, widerFilter } from './capture/filter.ts'
import { recordOf, type CaptureRecord, type Where } from './capture/record.ts'
import type { Recorder } from './capture/recorder.ts'
import { endRemains, findRemains } from './capture/remains.ts'
import { missingRights, nameOf, rightsFor, rightsProblem, whoAmI } from './cluster/access.ts'
import { problemOf } from './cluster/answer.ts'
import { call } from './cluster/api.ts'
import type { Connection } from './cluster/connection.ts'
import { grantFile } from './cluster/grant.ts'
import { canBeAsked, findTargets, targetProblems, type Target } from './cluster/target.ts'
import { ConfigurationError, messageOf } from './errors.ts'
import { documentAddress } from './documents.ts'
import { chooseNodeRecorder } from './node-method.ts'
import type { Cluster } from './open.ts'
import { formatSize } from './quantities.ts'
import { isNamespaceName, type Request } from './request.ts'
import { defaultArtifactName, type Job } from './runner/job.ts'
import type { Log } from './runner/log.ts'

/** What a run may begin with: everything that can be refused has been asked for, and nothing is made. */
export interface Prepared {
  readonly recorders: readonly Recorder[]
  readonly hints: readonly string[]
  /** what was checked and found, one line each, for the summary of `preflight: only` */
  readonly findings: readonly string[]
}

/**
 * Looks at everything that could stand in the way, each check whatever the others found.
 * @throws ConfigurationError with all problems at once
 */
export async function preflight(cluster: Cluster, request: Request, job: Job, log: Log): Promise<Prepared> {
  const { connection } = cluster
  const namespace = request.namespace ?? connection.namespace ?? 'default'
  const findings: string[] = []
  const hints: string[] = []
  const problems = new Set<string>()
  const found = (line: string): void => {
    findings.push(line)
    log.info(line)
  }
  /** A check that fails is a problem among the others, whatever it fails by. */
  const attempt = async <T>(explain: (error: unknown) => string, check: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await check()
    } catch (error) {
      problems.add(explain(error))
      return undefined
    }
  }
  const asking = (what: string) => (error: unknown) => problemOf(connection, error, what)

  found(`Cluster: ${connection.description}`)
  const us = await attempt(asking('who we are'), async () => ({ identity: await whoAmI(connection) }))
  if (us?.identity !== undefined) found(`Identity: ${us.identity}`)
  const misnamed = request.target.kind !== 'node' && !isNamespaceName(namespace)
  if (misnamed) {
    problems.add(
      `${connection.input}: its context has the namespace ${JSON.stringify(namespace.slice(0, 100))}, which is no name of a namespace. Correct it, or set the input \`namespace\`. Nothing was created.`,
    )
  }
  // Where we do not get in, or not into this namespace, every further question has that answer.
  const open = us !== undefined && !misnamed

  const missing = new Set<string>()
  const { target: wanted } = request
  if (open && wanted.kind !== 'node') {
    const rights = rightsFor(wanted.kind, request.level)
    await attempt(asking(`what we may do in the namespace ${JSON.stringify(namespace)}`), async () => {
      const denied = await missingRights(connection, namespace, rights)
      for (const right of denied) missing.add(`${right.verb} ${nameOf(right)}`)
      if (denied.length === 0) found(`Rights in ${namespace}: all ${rights.length} that are needed`)
      else problems.add(rightsProblem(connection, us.identity, namespace, denied, allRights(request, connection, us)))
    })
  }

  await attempt(messageOf, async () => {
    const checked = await checkFilterHere(request.filter, request.interface)
    found(`Filter: ${request.filter || 'none'}${checked ? ' (compiles on this runner)' : ''}`)
  })

  // Without the right to read a pod the answer is known already.
  const reading = wanted.kind === 'deployment' ? ['get deployments', 'list pods'] : []
  const readable = open && !['get pods', ...reading].some((right) => missing.has(right))
  const asked = `for the ${wanted.kind} ${JSON.stringify(wanted.name)}`
  const targets = readable ? await attempt(asking(asked), () => targetsOf(connection, namespace, request)) : undefined
  const recorders: Recorder[] = []
  for (const target of targets ?? []) {
    const where = target.node === '' ? 'no node yet' : `node ${target.node}`
    found(`Target: ${target.pod === '' ? '' : `pod ${target.pod} in ${target.namespace} on `}${where}`)
    if (target.pod !== '') for (const problem of targetProblems(target, request)) problems.add(problem)
    if (!canBeAsked(target, request)) continue
    const made = (where: Where, filter: string): Promise<CaptureRecord> =>
      recordFor(connection, request, job, target, where, filter)
    if (request.level === 'node') {
      await attempt(asking(`for a recorder on the node ${target.node}`), async () => {
        const chosen = await chooseNodeRecorder({ cluster, request, identity: us?.identity, found }, target, made)
        recorders.push(chosen.recorder)
        hints.push(...chosen.hints)
      })
      continue
    }
    await attempt(asking(`whether the pod ${JSON.stringify(target.pod)} takes a capture container`), async () => {
      const record = await made({ kind: 'container' }, request.filter)
      const { spoolLimit } = record.plan
      if (spoolLimit < request.spoolLimit) {
        found(
          `Spool: at most ${formatSize(spoolLimit)} of the node's disk, because of the pod's ephemeral-storage limits`,
        )
      }
      const recorder = ephemeralRecorder(connection, record)
      recorders.push(recorder)
      if (!missing.has('patch pods/ephemeralcontainers')) for (const line of await recorder.check()) found(line)
    })
    const wider = widerFilter(target.facts, request.filter)
    if (wider !== undefined) {
      hints.push(
        `The pod has a sidecar: the filter misses the plaintext requests that the app sends (they go to 127.0.0.1:15001). With \`${wider}\` they are there, too.`,
      )
    }
  }
  if (problems.size > 0) throw new ConfigurationError(together([...problems]))
  for (const hint of hints) log.info(`Hint: ${hint}`)
  if (request.preflight === 'on' && request.level === 'pod') await clearRemains(connection, targets ?? [], job, log)
  return { recorders, hints, findings }
}

/** Where all the rights for this level and this way in are written down. */
function allRights({ level }: Request, { input }: Connection, { identity }: { identity: string | undefined }): string {
  return documentAddress(`docs/rbac/${level === 'pod' ? grantFile(input, identity) : 'platform.yaml'}`, process.env)
}

async function targetsOf(connection: Connection, namespace: string, request: Request): Promise<readonly Target[]> {
  const { kind, name } = request.target
  if (kind !== 'node') return findTargets(connection, namespace, { kind, name })
  if (!request.allowHostNetwork) {
    throw new ConfigurationError(
      `node: a capture of ${JSON.stringify(name)} by its own name shows every pod of the node. ` +
        "Set `allow-host-network: true` if you mean that, or name a `pod`: its node is taken, and of its traffic only the pod's own. Nothing was created.",
    )
  }
  return [{ namespace: '', pod: '', uid: '', node: name, facts: {} }]
}

function together(problems: readonly string[]): string {
  const [first] = problems
  if (first !== undefined && problems.length === 1) return first
  return `${problems.length} things stand in the way. Nothing was created.\n${problems.map((problem) => `- ${problem.replaceAll(' Nothing was created.', '')}`).join('\n')}`
}

/** The API server's clock, ms since the epoch: the deadline is counted by it, for runners' clocks are off. */
async function timeOf(connection: Connection, { namespace, pod }: Target): Promise<number> {
  const path = pod === '' ? '/version' : `/api/v1/namespaces/${namespace}/pods/${pod}`
  const { serverTime } = await call(connection, 'GET', path)
  return serverTime ?? Date.now()
}

async function clearRemains(connection: Connection, targets: readonly Target[], job: Job, log: Log): Promise<void> {
  for (const target of targets) {
    for (const container of findRemains(target, job.repository, await timeOf(connection, target))) {
      log.info(await endRemains(connection, target, container))
    }
  }
}

async function recordFor(
  connection: Connection,
  request: Request,
  job: Job,
  target: Target,
  where: Where,
  filter: string,
): Promise<CaptureRecord> {
  const plan: CapturePlan = {
    filter,
    interface: request.interface,
    snaplen: request.snaplen,
    duration: request.limits.duration,
    size: request.limits.size,
    packets: request.limits.packets,
    image: request.image,
    toolboxImage: request.toolboxImage,
    capabilities: request.capabilities,
    startTimeout: request.startTimeout,
    ownerTimeout: request.ownerTimeout,
    spoolLimit: where.kind === 'container' ? spoolLimitFor(target, request.spoolLimit) : request.spoolLimit,
  }
  const name = request.artifactName ?? defaultArtifactName(target.pod || target.node, job)
  const path = join(job.temp, `${name}.pcap`)
  return recordOf(target, containerName(job.repository), plan, path, await timeOf(connection, target), where)
}
