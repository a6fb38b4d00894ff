import { openRecorder } from '../capture/recorders/open-recorder.ts'
import type { Recorder } from '../capture/recorders/recorder.ts'
import type { Access } from '../inputs/access.ts'
import { openCluster, openGoogle } from './cluster-access.ts'
import type { CaptureState } from './state.ts'

/**
 * The recorder of a saved record, for post. `mayBeThere`: main may have put something on the node.
 * The cluster and Google are opened only where the recorder needs them.
 */
export async function recorderForRecord(
  access: Access,
  { record, leftover }: Pick<CaptureState, 'record' | 'leftover'>,
  mayBeThere = true,
): Promise<Recorder> {
  const opened = {
    cluster: async () => (await openCluster(access, process.env)).connection,
    nodes: async () => {
      const { GoogleNodeAccess } = await import('./google-node-access.ts')
      return new GoogleNodeAccess(await openGoogle(access, process.env), process.env)
    },
  }
  return openRecorder(record, opened, { mayBeThere, leftover })
}
