import { ConfigurationError } from '../../common/errors.ts'
import { urlPath } from '../../common/url-path.ts'
import { callProblem } from '../call-problem.ts'
import { failureOf } from '../transport.ts'
import { callOptions, type GoogleApis } from './apis.ts'
import { instancePath, type InstanceName } from './instance.ts'

/** One name for all runs, because the account remains on the node when its keys are removed. */
export const metadataUser = 'gha-capture'

/** of one metadata value */
const maxValueBytes = 262_144
/** for a change, where others change the metadata at the same time */
const maxAttemptCount = 10
/** of the state of an operation: 90 s in all */
const maxPollCount = 34

/**
 * The line from which the guest agent authorizes a key until it expires. The JSON has no spaces, the time no fraction and `+0000`:
 * as gcloud writes it, and as every version of the agent reads it.
 * @param publicKey `ssh-ed25519 AAAA…`, without a comment
 */
export function keyEntry(publicKey: string, expires: Date): string {
  const expireOn = expires.toISOString().replace(/\.\d+Z$/, '+0000')
  return `${metadataUser}:${publicKey} google-ssh ${JSON.stringify({ userName: metadataUser, expireOn })}`
}

/** `value` (undefined: not set) with the entry, and without expired entries of this action; every other byte is unchanged. */
export function withEntry(value: string | undefined, entry: string, now: Date): string {
  if (value === undefined) return entry
  const [key] = parseEntry(entry)
  const kept = value
    .split('\n')
    .filter((line) => !isOwnEntry(line) || !(parseEntry(line)[0] === key || hasExpired(line, now)))
  // Before the end of the last line, if it has one.
  kept.splice(kept.at(-1) === '' ? -1 : kept.length, 0, entry)
  return kept.join('\n')
}

/** `value` without the key, and without expired entries of this action. */
export function withoutKey(value: string, publicKey: string, now: Date): string {
  const [, wanted] = publicKey.split(' ')
  return value
    .split('\n')
    .filter((line) => !isOwnEntry(line) || (parseEntry(line)[0] !== wanted && !hasExpired(line, now)))
    .join('\n')
}

function isOwnEntry(line: string): boolean {
  return line.startsWith(`${metadataUser}:`) && line.includes(' google-ssh {')
}

/** The base64 of the key and the JSON of `USER:TYPE BASE64 google-ssh {…}`. */
function parseEntry(line: string): [string | undefined, string | undefined] {
  const [, key, rest] = /^[^ ]+ ([^ ]+) google-ssh (\{.*\})\s*$/.exec(line) ?? []
  return [key, rest]
}

function hasExpired(line: string, now: Date): boolean {
  try {
    const { expireOn } = JSON.parse(parseEntry(line)[1] ?? '') as { expireOn?: unknown }
    return typeof expireOn === 'string' && Date.parse(expireOn.replace(/([+-]\d\d)(\d\d)$/, '$1:$2')) <= now.getTime()
  } catch {
    return false // an unknown form is not removed
  }
}

/** Adds the key to the metadata of the instance, never to that of the project. @throws ConfigurationError */
export async function addKey(apis: GoogleApis, name: InstanceName, publicKey: string, expires: Date): Promise<void> {
  const change: Change = (value) => withEntry(value, keyEntry(publicKey, expires), new Date())
  await changeKeys(apis, name, change).catch((error: unknown) => {
    throw changeProblem(error, name)
  })
}

/**
 * Removes the key from the metadata of the instance, if it is there.
 * @returns whether the instance exists
 * @throws ConfigurationError where the key could not be removed
 */
export async function removeKey(apis: GoogleApis, name: InstanceName, publicKey: string): Promise<boolean> {
  const change: Change = (value) => {
    const rest = value === undefined ? undefined : withoutKey(value, publicKey, new Date())
    // This action's key was the only one, so the item is removed with it.
    return rest === '' && value !== '' && !value?.endsWith('\n') ? undefined : rest
  }
  try {
    await changeKeys(apis, name, change)
    return true
  } catch (error) {
    if (failureOf(error)?.status === 404) return false
    throw changeProblem(error, name)
  }
}

type Change = (value: string | undefined) => string | undefined

/** Read, modify, write: setMetadata replaces all items, and is refused (412) where they have changed since they were read. */
async function changeKeys(apis: GoogleApis, name: InstanceName, change: Change): Promise<void> {
  const client = await apis.instances()
  const target = { project: name.project, zone: name.zone, instance: name.name }
  for (let attempt = 1; ; attempt++) {
    const [{ metadata }] = await client.get(target, callOptions)
    const items = metadata?.items ?? []
    const before = items.find(({ key }) => key === 'ssh-keys')?.value ?? undefined
    const after = change(before)
    if (after === before) return
    checkSize(after ?? '', name)
    const metadataResource = {
      items: withKeys(items, after),
      ...(metadata?.fingerprint && { fingerprint: metadata.fingerprint }),
    }
    try {
      const [operation] = await client.setMetadata({ ...target, metadataResource }, callOptions)
      await waitForOperation(apis, name, operation.latestResponse as Operation)
      return
    } catch (error) {
      if (!isConflict(error) || attempt >= maxAttemptCount) throw error
      await apis.pause((0.5 + Math.random()) * Math.min(100 * 2 ** attempt, 3_000))
    }
  }
}

/** The items with this value of `ssh-keys` in the place of the old one; undefined: without it. */
function withKeys<T extends { readonly key?: string | null }>(
  items: readonly T[],
  value: string | undefined,
): (T | { key: string; value: string })[] {
  if (value === undefined) return items.filter(({ key }) => key !== 'ssh-keys')
  if (!items.some(({ key }) => key === 'ssh-keys')) return [...items, { key: 'ssh-keys', value }]
  return items.map((item) => (item.key === 'ssh-keys' ? { ...item, value } : item))
}

function checkSize(value: string, name: InstanceName): void {
  const sizeBytes = Buffer.byteLength(value)
  if (sizeBytes <= maxValueBytes) return
  throw new ConfigurationError({
    code: 'E_GCE_METADATA_FULL',
    input: 'node-method',
    problem:
      `the ssh-keys in the metadata of ${instancePath(name)} have no room for another key ` +
      `(${String(sizeBytes)} bytes, the limit is ${String(maxValueBytes)})`,
    fix: 'Remove keys that are no longer needed, or enable OS Login.',
  })
}

/** What is read of `compute.v1.Operation`; by the client and by REST. */
interface Operation {
  readonly name?: string | null
  readonly status?: string | number | null
  readonly httpErrorStatusCode?: number | null
  readonly error?: { readonly errors?: readonly { readonly code?: string | null }[] | null } | null
}

class OperationFailed extends Error {
  override readonly name = 'OperationFailed'
  readonly conflict: boolean

  constructor(message: string, conflict = false) {
    super(message)
    this.conflict = conflict
  }
}

function isConflict(error: unknown): boolean {
  return error instanceof OperationFailed ? error.conflict : failureOf(error)?.status === 412
}

/** The guest sees the new metadata when the operation is done, not when it begins. */
async function waitForOperation(apis: GoogleApis, name: InstanceName, begun: Operation): Promise<void> {
  const id = begun.name ?? '-'
  const url = apis.endpoints.url('compute', urlPath`projects/${name.project}/zones/${name.zone}/operations/${id}`)
  let operation = begun
  for (let poll = 0; operation.status !== 'DONE'; poll++) {
    if (poll >= maxPollCount) throw new OperationFailed('the operation did not end within 90 s')
    await apis.pause(Math.min(200 * 1.5 ** poll, 3_000))
    operation = await apis.call<Operation>('GET', url)
  }
  const codes = (operation.error?.errors ?? []).map(({ code }) => code ?? '?')
  if (codes.length === 0) return
  const conflict = operation.httpErrorStatusCode === 412 || codes.includes('CONDITION_NOT_MET')
  throw new OperationFailed(`the operation ended in ${codes.join(', ')}`, conflict)
}

function changeProblem(error: unknown, name: InstanceName): ConfigurationError {
  const problem = `the SSH key cannot be changed in the metadata of ${instancePath(name)}`
  if (isConflict(error)) {
    return new ConfigurationError({
      code: 'E_GCE_METADATA_CONFLICT',
      input: 'node-method',
      problem: `${problem}: another client changed it at the same time in each of ${String(maxAttemptCount)} attempts`,
      fix: 'Run the job again.',
    })
  }
  const isKnown = [error, (error as Error).cause].some(
    (one) => one instanceof OperationFailed || one instanceof ConfigurationError,
  )
  // Another error of the client library may quote the request.
  return callProblem(isKnown || failureOf(error) ? error : new Error((error as Error).name), {
    input: 'node-method',
    problem,
    fix:
      'Grant the identity compute.instances.get, compute.instances.setMetadata and compute.zoneOperations.get in the project ' +
      "and roles/iam.serviceAccountUser on the node's service account (docs/terraform), or use node-method: pod.",
    mayAnswerQuoteSecrets: true,
  })
}
