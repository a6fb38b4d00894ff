import { ConfigurationError } from '../errors.ts'
import {
  callFailureOf,
  callOptions,
  describeName,
  explainCall,
  type GoogleApis,
  type InstanceName,
} from './instance.ts'

/** One name for all runs, since the account stays on the node when its keys are gone. */
export const metadataUser = 'gha-capture'

/** bytes of one value */
const sizeLimit = 262_144
/** how often a change is tried where others change the metadata at the same time */
const attempts = 10
/** how often an operation is asked for until it must be done: within 90 s */
const polls = 34

/**
 * The line by which the guest agent lets a key in until it expires. The JSON has no spaces, the time no fraction and `+0000`:
 * what gcloud writes, and what every version of the agent reads.
 * @param publicKey `ssh-ed25519 AAAA…`, without a comment
 */
export function keyEntry(publicKey: string, expires: Date): string {
  const expireOn = expires.toISOString().replace(/\.\d+Z$/, '+0000')
  return `${metadataUser}:${publicKey} google-ssh ${JSON.stringify({ userName: metadataUser, expireOn })}`
}

/** `value` (undefined: there is none yet) with the entry, without entries of ours that have expired; every other byte as it was. */
export function withEntry(value: string | undefined, entry: string, now: Date): string {
  if (value === undefined) return entry
  const [key] = keyAndRest(entry)
  const kept = value
    .split('\n')
    .filter((line) => !isOurs(line) || !(keyAndRest(line)[0] === key || hasExpired(line, now)))
  // Before the end of the last line, if it has one.
  kept.splice(kept.at(-1) === '' ? -1 : kept.length, 0, entry)
  return kept.join('\n')
}

/** `value` without the key, and without entries of ours that have expired. */
export function withoutKey(value: string, publicKey: string, now: Date): string {
  const [, wanted] = publicKey.split(' ')
  return value
    .split('\n')
    .filter((line) => !isOurs(line) || (keyAndRest(line)[0] !== wanted && !hasExpired(line, now)))
    .join('\n')
}

function isOurs(line: string): boolean {
  return line.startsWith(`${metadataUser}:`) && line.includes(' google-ssh {')
}

/** The base64 of `USER:TYPE BASE64 google-ssh {…}`, and the JSON. */
function keyAndRest(line: string): [string | undefined, string | undefined] {
  const [, key, rest] = /^[^ ]+ ([^ ]+) google-ssh (\{.*\})\s*$/.exec(line) ?? []
  return [key, rest]
}

function hasExpired(line: string, now: Date): boolean {
  try {
    const { expireOn } = JSON.parse(keyAndRest(line)[1] ?? '') as { expireOn?: unknown }
    return typeof expireOn === 'string' && Date.parse(expireOn.replace(/([+-]\d\d)(\d\d)$/, '$1:$2')) <= now.getTime()
  } catch {
    return false // not understood: not ours to remove
  }
}

/** Adds the key to the instance's own metadata, never the project's. @throws ConfigurationError that names the cause and the fix */
export async function addKey(apis: GoogleApis, name: InstanceName, publicKey: string, expires: Date): Promise<void> {
  const change: Change = (value) => withEntry(value, keyEntry(publicKey, expires), new Date())
  await changeKeys(apis, name, change).catch((error: unknown) => {
    throw unchanged(error, name)
  })
}

/**
 * Takes the key out of the instance's metadata; a key that is not there any more is as good.
 * @returns whether the instance is still there
 * @throws ConfigurationError where the key stays
 */
export async function removeKey(apis: GoogleApis, name: InstanceName, publicKey: string): Promise<boolean> {
  const change: Change = (value) => {
    const rest = value === undefined ? undefined : withoutKey(value, publicKey, new Date())
    // The item came with our key: it goes with it.
    return rest === '' && value !== '' && !value?.endsWith('\n') ? undefined : rest
  }
  try {
    await changeKeys(apis, name, change)
    return true
  } catch (error) {
    if (callFailureOf(error)?.status === 404) return false
    throw unchanged(error, name)
  }
}

type Change = (value: string | undefined) => string | undefined

/** Read, modify, write: setMetadata replaces all items, and is refused (412) where they are not those that were read. */
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
    const kept = after === undefined ? items.filter(({ key }) => key !== 'ssh-keys') : items
    const changed = kept.map((item) => (item.key === 'ssh-keys' ? { ...item, value: after ?? '' } : item))
    if (before === undefined && after !== undefined) changed.push({ key: 'ssh-keys', value: after })
    const metadataResource = { items: changed, ...(metadata?.fingerprint && { fingerprint: metadata.fingerprint }) }
    try {
      const [operation] = await client.setMetadata({ ...target, metadataResource }, callOptions)
      await operationDone(apis, name, operation.latestResponse as Operation)
      return
    } catch (error) {
      if (!isConflict(error) || attempt >= attempts) throw error
      await apis.pause((0.5 + Math.random()) * Math.min(100 * 2 ** attempt, 3_000))
    }
  }
}

function checkSize(value: string, name: InstanceName): void {
  const size = Buffer.byteLength(value)
  if (size <= sizeLimit) return
  throw new ConfigurationError(
    `node-method: the ssh-keys in the metadata of ${describeName(name)} have no room for one more ` +
      `(${String(size)} bytes, the limit is ${String(sizeLimit)}). Remove keys that are not needed there, or turn OS Login on.`,
  )
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
  return error instanceof OperationFailed ? error.conflict : callFailureOf(error)?.status === 412
}

/** The metadata has changed for the guest when the operation is done, not when it is begun. */
async function operationDone(apis: GoogleApis, name: InstanceName, begun: Operation): Promise<void> {
  const id = encodeURIComponent(begun.name ?? '')
  const url = apis.endpoints.url('compute', `projects/${name.project}/zones/${name.zone}/operations/${id}`)
  let operation = begun
  for (let poll = 0; operation.status !== 'DONE'; poll++) {
    if (poll >= polls) throw new OperationFailed('the operation does not come to its end')
    await apis.pause(Math.min(200 * 1.5 ** poll, 3_000))
    operation = await apis.call<Operation>('GET', url)
  }
  const codes = (operation.error?.errors ?? []).map(({ code }) => code ?? '?')
  if (codes.length === 0) return
  const conflict = operation.httpErrorStatusCode === 412 || codes.includes('CONDITION_NOT_MET')
  throw new OperationFailed(`the operation ended in ${codes.join(', ')}`, conflict)
}

function unchanged(error: unknown, name: InstanceName): ConfigurationError {
  const what = `node-method: the SSH key cannot be changed in the metadata of ${describeName(name)}`
  if (isConflict(error)) {
    return new ConfigurationError(
      `${what}: it was changed by others each of the ${String(attempts)} times it was tried. Run the job again.`,
    )
  }
  const known = [error, (error as Error).cause].some(
    (one) => one instanceof OperationFailed || one instanceof ConfigurationError,
  )
  return explainCall(
    // Another error of the client's may quote the request.
    known || callFailureOf(error) ? error : new Error((error as Error).name),
    what,
    'Grant the identity compute.instances.get, compute.instances.setMetadata and compute.zoneOperations.get in the project ' +
      "and roles/iam.serviceAccountUser on the node's service account (docs/terraform), or use node-method: pod.",
  )
}
