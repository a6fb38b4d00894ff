import { ephemeralRecorder } from './capture/ephemeral.ts'
import { nodePodRecorder } from './capture/node-pod.ts'
import type { Recorder } from './capture/recorder.ts'
import type { Cluster } from './open.ts'
import type { CaptureState } from './state.ts'

/**
 * The recorder that a record tells of, as post finds it. `mayBeThere`: main may have put something on the node; `stays`: what of it nobody can remove.
 * SSH is loaded only where it is the way.
 */
export async function recorderFor(
  cluster: Cluster,
  { record, stays }: Pick<CaptureState, 'record' | 'stays'>,
  mayBeThere = true,
): Promise<Recorder> {
  const { where } = record
  switch (where.kind) {
    case 'container':
      return ephemeralRecorder(cluster.connection, record)
    case 'node-pod':
      return nodePodRecorder(cluster.connection, record, where.namespace)
    case 'ssh': {
      const { openNodeAccess, sshRecorder } = await import('./capture/node-ssh.ts')
      const access = openNodeAccess(await cluster.google(), process.env)
      return sshRecorder(access, record, where.login, undefined, { mayBeThere, stays })
    }
  }
}
