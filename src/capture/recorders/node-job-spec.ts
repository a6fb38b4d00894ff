import { maxHoldSeconds, type CapturePlan } from '../plan.ts'
import { recorderContainer } from '../recorder-container.ts'
import { recordedNode, type CaptureRecord } from '../record.ts'

/** From the end of the Job until the cluster deletes it, where the runner has not. */
export const timeToLiveSeconds = 60

/** When the cluster stops the Job at the latest: the recorder itself ends before, the wait for a late post step included. */
export function maxLifeSeconds(plan: CapturePlan): number {
  return plan.startTimeoutSeconds + plan.durationSeconds + maxHoldSeconds + 120
}

/** The Job of a capture, for the API server. */
export function jobOf(record: CaptureRecord): Record<string, unknown> {
  const { metadata, spec } = podOf(record)
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name: record.captureId, labels: metadata.labels },
    spec: {
      backoffLimit: 0,
      activeDeadlineSeconds: maxLifeSeconds(record.plan),
      ttlSecondsAfterFinished: timeToLiveSeconds,
      template: { metadata: { labels: metadata.labels }, spec },
    },
  }
}

/** The pod of that Job, on its own: admission decides on the pod, not on the Job. */
export function podOf(record: CaptureRecord): {
  readonly apiVersion: 'v1'
  readonly kind: 'Pod'
  readonly metadata: { readonly name: string; readonly labels: Record<string, string> }
  readonly spec: Record<string, unknown>
} {
  const { captureId, plan } = record
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: captureId,
      labels: {
        'app.kubernetes.io/name': 'packet-capture',
        'app.kubernetes.io/managed-by': 'kubernetes-packet-capture',
      },
    },
    spec: {
      hostNetwork: true,
      nodeName: recordedNode(record), // also a node that the scheduler would not choose: cordoned, or full
      tolerations: [{ operator: 'Exists' }],
      restartPolicy: 'Never',
      terminationGracePeriodSeconds: 5,
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      volumes: [{ name: 'spool', emptyDir: { sizeLimit: String(plan.spoolLimitBytes * 2) } }],
      containers: [containerOf(record)],
    },
  }
}

function containerOf({ captureId, plan, deadlineSeconds: deadline }: CaptureRecord): Record<string, unknown> {
  return {
    ...recorderContainer(captureId, plan, deadline),
    volumeMounts: [{ name: 'spool', mountPath: '/tmp' }],
    resources: {
      requests: { cpu: '100m', memory: '64Mi' },
      limits: { cpu: '1', memory: '256Mi', 'ephemeral-storage': String(plan.spoolLimitBytes * 2 + 50e6) },
    },
    securityContext: {
      runAsUser: 0,
      runAsNonRoot: false,
      privileged: false,
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      // SETGID: a tcpdump that is built to change to a user of its own stays root with `-Z root`, which needs SETGID only.
      capabilities: { drop: ['ALL'], add: [...new Set(['NET_RAW', 'SETGID', ...plan.capabilities])] },
      seccompProfile: { type: 'RuntimeDefault' },
    },
  }
}
