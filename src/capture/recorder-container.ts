import { recorderPayload } from './payload.ts'
import type { CapturePlan } from './plan.ts'
import { loaderScript } from './scripts/scripts.ts'

/**
 * The recorder's container, for the strategic merge patch of pods/ephemeralcontainers. It waits for the recorder's scripts and parameters: the
 * pod's object keeps each such container for the pod's life, and etcd limits its size. `deadlineSeconds`: since the epoch.
 */
export function recorderContainer(name: string, plan: CapturePlan, deadlineSeconds: number): Record<string, unknown> {
  const { sha256 } = recorderPayload(name, plan, deadlineSeconds)
  const maxSeconds = String(loaderSeconds(plan))
  return {
    name,
    image: plan.image,
    imagePullPolicy: 'IfNotPresent',
    command: ['sh', '-c', literal(loaderScript), 'recorder', name, sha256, maxSeconds, String(deadlineSeconds)],
    securityContext: {
      runAsUser: 0,
      runAsNonRoot: false,
      // containerd's default capabilities include NET_RAW; to name it is forbidden under Pod Security `baseline`.
      ...(plan.capabilities.length > 0 ? { capabilities: { add: plan.capabilities } } : {}),
      ...(plan.usesRuntimeSeccomp ? { seccompProfile: { type: 'RuntimeDefault' } } : {}),
    },
  }
}

/** How long a container waits for its recorder before it ends by itself: no longer than a recorder is without contact from the runner. */
export function loaderSeconds({ startTimeoutSeconds, heartbeatTimeoutSeconds }: CapturePlan): number {
  return Math.min(startTimeoutSeconds, heartbeatTimeoutSeconds)
}

/** Of a container that `recorderContainer` made, since the epoch; NaN for another container. */
export function deadlineSecondsOf(container: { readonly command?: readonly string[] }): number {
  return Number(container.command?.[7] ?? Number.NaN)
}

/** Kubernetes expands $(NAME) in a command, and turns $$ into $ (k8s.io/kubernetes third_party/forked/golang/expansion). */
function literal(text: string): string {
  return text.replaceAll(/\$(?=[$(])/g, '$$$$')
}
