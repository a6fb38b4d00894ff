import type { Access } from './access-input.ts'
import { ephemeralRecorder } from './capture/ephemeral.ts'
import { nodePodRecorder } from './capture/node-pod.ts'
import type { Recorder } from './capture/recorder.ts'
import { openCluster, openGoogle } from './open.ts'
import type { CaptureState } from './state.ts'

/**
 * The recorder that a record tells of, as post finds it. `mayBeThere`: main may have put something on the node; `stays`: what of it nobody can remove.
 * SSH is loaded only where it is the way, and needs no cluster.
 */
export async function recorderFor(
  access: Access,
  { record, stays }: Pick<CaptureState, 'record' | 'stays'>,
  mayBeThere = true,
): Promise<Recorder> {
  const { where } = record
  switch (where.kind) {
    case 'container':
      return ephemeralRecorder((await openCluster(access, process.env)).connection, record)
    case 'node-pod':
      return nodePodRecorder((await openCluster(access, process.env)).connection, record, where.namespace)
    case 'ssh': {
      const { openNodeAccess, sshRecorder } = await import('./capture/node-ssh.ts')
      const google = openNodeAccess(await openGoogle(access, process.env), process.env)
      return sshRecorder(google, record, where.login, undefined, { mayBeThere, stays })
    }
  }
}
