import { ephemeralRecorder } from './capture/ephemeral.ts'
import { nodePodRecorder } from './capture/node-pod.ts'
import type { CaptureRecord } from './capture/record.ts'
import type { Recorder } from './capture/recorder.ts'
import type { Cluster } from './open.ts'

/** The recorder that a record tells of, as post finds it; `mayBeThere`: main may have put something on the node. SSH is loaded only where it is the way. */
export async function recorderFor(cluster: Cluster, record: CaptureRecord, mayBeThere = true): Promise<Recorder> {
  const { where } = record
  switch (where.kind) {
    case 'container':
      return ephemeralRecorder(cluster.connection, record)
    case 'node-pod':
      return nodePodRecorder(cluster.connection, record, where.namespace)
    case 'ssh': {
      const { openNodeAccess, sshRecorder } = await import('./capture/node-ssh.ts')
      return sshRecorder(
        openNodeAccess(await cluster.google(), process.env),
        record,
        where.login,
        undefined,
        mayBeThere,
      )
    }
  }
}
