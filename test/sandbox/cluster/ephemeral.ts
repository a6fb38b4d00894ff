// PATCH …/ephemeralcontainers: the merge, and Kubernetes' validation of its result (core/validation ValidatePodEphemeralContainersUpdate).

import { isDeepStrictEqual } from 'node:util'
import { isMirrorPod, type Container, type Pod } from './objects.ts'
import { badRequest, invalidPod, type ApiResponse, type StatusCause } from './status.ts'

export const patchTypes = ['application/strategic-merge-patch+json', 'application/merge-patch+json'] as const

type PatchedContainer = Partial<Container> & { $patch?: string }

/** Strategic: merged by name, `$patch: delete` removes. Plain merge: the list is replaced. */
export function mergeEphemeral(existing: Container[], patch: PatchedContainer[], strategic: boolean): Container[] {
  if (!strategic) return patch as Container[]
  const merged = [...existing]
  for (const { $patch, ...change } of patch) {
    const at = merged.findIndex(({ name }) => name === change.name)
    if ($patch === 'delete') {
      if (at >= 0) merged.splice(at, 1)
    } else if (at >= 0) merged[at] = { ...(merged[at] as Container), ...change }
    else merged.push(change as Container)
  }
  return merged
}

/** The defaults that the API server writes into a new container. */
const withDefaults = (container: Container): Container => ({
  ...container,
  ...(container.resources === undefined ? { resources: {} } : {}),
  terminationMessagePath: container.terminationMessagePath ?? '/dev/termination-log',
  terminationMessagePolicy: container.terminationMessagePolicy ?? 'File',
  imagePullPolicy:
    container.imagePullPolicy ?? (/:(?!latest$)[^/]+$/.test(container.image) ? 'IfNotPresent' : 'Always'),
})

const forbiddenFields = [
  'ports',
  'livenessProbe',
  'readinessProbe',
  'startupProbe',
  'lifecycle',
  'resources',
  'restartPolicy',
  'resizePolicy',
]
const labelWords =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character " +
  "(e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"

const cause = (reason: string, field: string, message: string): StatusCause => ({
  reason: `FieldValue${reason}`,
  message,
  field,
})
const isSet = (value: unknown): boolean =>
  value !== undefined && value !== null && (typeof value !== 'object' || Object.keys(value).length > 0)

function problems(pod: Pod, before: Container[], after: Container[]): StatusCause[] {
  const found: StatusCause[] = []
  const regular = [...(pod.spec.initContainers ?? []), ...pod.spec.containers].map(({ name }) => name)
  const seen = new Set(regular)
  after.forEach((container, index) => {
    const field = `spec.ephemeralContainers[${index}]`
    const name = container.name ?? ''
    if (name === '') found.push(cause('Required', `${field}.name`, 'Required value'))
    else if (name.length > 63)
      found.push(cause('Invalid', `${field}.name`, `Invalid value: "${name}": must be no more than 63 bytes`))
    else if (!/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(name))
      found.push(cause('Invalid', `${field}.name`, `Invalid value: "${name}": ${labelWords}`))
    else if (seen.has(name)) found.push(cause('Duplicate', `${field}.name`, `Duplicate value: "${name}"`))
    seen.add(name)
    if (!container.image) found.push(cause('Required', `${field}.image`, 'Required value'))
    const target = container.targetContainerName
    if (target && !regular.includes(target))
      found.push(cause('NotFound', `${field}.targetContainerName`, `Not found: "${target}"`))
    for (const forbidden of forbiddenFields)
      if (isSet(container[forbidden]))
        found.push(cause('Forbidden', `${field}.${forbidden}`, 'Forbidden: cannot be set for an Ephemeral Container'))
  })
  if (found.length > 0) return found
  if (isMirrorPod(pod)) return [cause('Forbidden', '[]', 'Forbidden: static pods do not support ephemeral containers')]
  for (const old of before) {
    const kept = after.find(({ name }) => name === old.name)
    const what = `Forbidden: existing ephemeral containers "${old.name}" may not be`
    if (kept === undefined) found.push(cause('Forbidden', 'spec.ephemeralContainers', `${what} removed\n`))
    else if (!isDeepStrictEqual(kept, old))
      found.push(cause('Forbidden', 'spec.ephemeralContainers', `${what} changed\n`))
  }
  return found
}

/** The pod with the patch applied, or the API server's error. */
export function patchEphemeral(pod: Pod, contentType: string, body: unknown): { pod: Pod } | { refused: ApiResponse } {
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    return { refused: badRequest('error decoding patch: the body is not a JSON object') }
  const { metadata, spec } = body as {
    metadata?: { uid?: string; resourceVersion?: string }
    spec?: { ephemeralContainers?: PatchedContainer[] }
  }
  if (metadata?.uid !== undefined && metadata.uid !== pod.metadata.uid)
    return {
      refused: invalidPod(pod.metadata.name, [
        cause('Invalid', 'metadata.uid', `Invalid value: "${metadata.uid}": field is immutable`),
      ]),
    }
  const before = pod.spec.ephemeralContainers ?? []
  // Everything except spec.ephemeralContainers is dropped, as the real subresource does.
  const after = mergeEphemeral(before, spec?.ephemeralContainers ?? before, contentType === patchTypes[0])
  const found = problems(pod, before, after)
  if (found.length > 0) return { refused: invalidPod(pod.metadata.name, found) }
  return {
    pod: {
      ...structuredClone(pod),
      spec: { ...structuredClone(pod.spec), ephemeralContainers: structuredClone(after).map(withDefaults) },
    },
  }
}
