// Pod Security admission: the checks that a capture can violate, with Kubernetes' messages (pod-security-admission/policy).

import { allContainers, type Container, type Pod } from './objects.ts'

const baselineCapabilities = new Set(
  'AUDIT_WRITE CHOWN DAC_OVERRIDE FOWNER FSETID KILL MKNOD NET_BIND_SERVICE SETFCAP SETGID SETPCAP SETUID SYS_CHROOT'.split(
    ' ',
  ),
)

/** `container "a"`, or `containers "a", "b"`: sorted, as Kubernetes does. */
function named(containers: Container[]): string {
  const names = containers.map(({ name }) => `"${name}"`).sort()
  return `${names.length === 1 ? 'container' : 'containers'} ${names.join(', ')}`
}

type Check = (pod: Pod, containers: Container[]) => string | undefined

const baseline: Check[] = [
  (_, containers) => {
    const foreign = (container: Container): string[] =>
      (container.securityContext?.capabilities?.add ?? []).filter((capability) => !baselineCapabilities.has(capability))
    const bad = containers.filter((container) => foreign(container).length > 0)
    if (bad.length === 0) return undefined
    const capabilities = [...new Set(bad.flatMap(foreign))].sort().map((capability) => `"${capability}"`)
    return `non-default capabilities (${named(bad)} must not include ${capabilities.join(', ')} in securityContext.capabilities.add)`
  },
  ({ spec }) => {
    const used = (['hostNetwork', 'hostPID', 'hostIPC'] as const).filter((field) => spec[field] === true)
    return used.length === 0 ? undefined : `host namespaces (${used.map((field) => `${field}=true`).join(', ')})`
  },
  (_, containers) => {
    const bad = containers.filter((container) => container.securityContext?.privileged === true)
    return bad.length === 0 ? undefined : `privileged (${named(bad)} must not set securityContext.privileged=true)`
  },
]

const restricted: Check[] = [
  (_, containers) => {
    const bad = containers.filter((container) => container.securityContext?.allowPrivilegeEscalation !== false)
    if (bad.length === 0) return undefined
    return `allowPrivilegeEscalation != false (${named(bad)} must set securityContext.allowPrivilegeEscalation=false)`
  },
  (_, containers) => {
    const notDropped = containers.filter((container) => !container.securityContext?.capabilities?.drop?.includes('ALL'))
    const adds = (container: Container): string[] =>
      (container.securityContext?.capabilities?.add ?? []).filter((capability) => capability !== 'NET_BIND_SERVICE')
    const adding = containers.filter((container) => adds(container).length > 0)
    const parts: string[] = []
    if (notDropped.length > 0) parts.push(`${named(notDropped)} must set securityContext.capabilities.drop=["ALL"]`)
    if (adding.length > 0) {
      const capabilities = [...new Set(adding.flatMap(adds))].sort().map((capability) => `"${capability}"`)
      parts.push(`${named(adding)} must not include ${capabilities.join(', ')} in securityContext.capabilities.add`)
    }
    return parts.length === 0 ? undefined : `unrestricted capabilities (${parts.join('; ')})`
  },
  ({ spec }, containers) => {
    const explicit = containers.filter((container) => container.securityContext?.runAsNonRoot === false)
    if (explicit.length > 0)
      return `runAsNonRoot != true (${named(explicit)} must not set securityContext.runAsNonRoot=false)`
    const unset = containers.filter((container) => container.securityContext?.runAsNonRoot === undefined)
    if (spec.securityContext?.runAsNonRoot === true || unset.length === 0) return undefined
    return `runAsNonRoot != true (pod or ${named(unset)} must set securityContext.runAsNonRoot=true)`
  },
  (_, containers) => {
    const bad = containers.filter((container) => container.securityContext?.runAsUser === 0)
    return bad.length === 0 ? undefined : `runAsUser=0 (${named(bad)} must not set runAsUser=0)`
  },
  ({ spec }, containers) => {
    const fine = (type: string | undefined): boolean => type === 'RuntimeDefault' || type === 'Localhost'
    if (fine(spec.securityContext?.seccompProfile?.type)) return undefined
    const bad = containers.filter((container) => !fine(container.securityContext?.seccompProfile?.type))
    if (bad.length === 0) return undefined
    return `seccompProfile (pod or ${named(bad)} must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")`
  },
]

/** The violations of the namespace's level, as the text after "is forbidden: "; undefined if the pod is allowed. */
export function podSecurityViolation(labels: Record<string, string> | undefined, pod: Pod): string | undefined {
  const level = labels?.['pod-security.kubernetes.io/enforce'] ?? 'privileged'
  const version = labels?.['pod-security.kubernetes.io/enforce-version'] ?? 'latest'
  // The restricted level is the baseline with a stricter capabilities check in place of the first one.
  const checks = level === 'restricted' ? [...baseline.slice(1), ...restricted] : level === 'baseline' ? baseline : []
  const containers = allContainers(pod)
  const violations = checks.map((check) => check(pod, containers)).filter((text) => text !== undefined)
  return violations.length === 0 ? undefined : `violates PodSecurity "${level}:${version}": ${violations.join(', ')}`
}
