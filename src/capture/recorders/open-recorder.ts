import type { Connection } from '../../cluster/connection.ts'
import type { CaptureRecord } from '../record.ts'
import { ephemeralRecorder } from './ephemeral-container.ts'
import { nodePodRecorder } from './node-job.ts'
import type { Recorder } from './recorder.ts'
import type { NodeAccess } from './ssh/access.ts'

/** What an earlier process may have left on the node. */
export interface EarlierState {
  readonly mayBeThere: boolean
  /** what of it cannot be removed, in words */
  readonly leftover: string | undefined
}

/** Opens what a recorder is reached by; only what its method needs is opened. */
export interface RecorderAccess {
  cluster(): Promise<Connection>
  nodes(): Promise<NodeAccess>
}

/** The recorder of a record that another process has saved. @throws what `access` throws */
export async function openRecorder(
  record: CaptureRecord,
  access: RecorderAccess,
  earlier: EarlierState,
): Promise<Recorder> {
  const { method } = record
  switch (method.kind) {
    case 'container':
      return ephemeralRecorder(await access.cluster(), record)
    case 'node-pod':
      return nodePodRecorder(await access.cluster(), record, method.namespace)
    case 'ssh': {
      const { NodeSshRecorder } = await import('./ssh/recorder.ts')
      return new NodeSshRecorder(await access.nodes(), record, earlier)
    }
  }
}
