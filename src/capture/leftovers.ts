import type { Connection } from '../cluster/connection.ts'
import type { PodTarget } from '../cluster/target.ts'
import { messageOf } from '../common/errors.ts'
import { captureIdPrefix, spoolDirsOf } from './plan.ts'
import { deadlineSecondsOf } from './recorder-container.ts'
import { stopRecorderScript } from './scripts/scripts.ts'

/** Names of containers that an earlier run of this repository left running in the target after their deadline. `serverTimeMs`: epoch. */
export function findStaleRecorders(target: PodTarget, repository: string, serverTimeMs: number): readonly string[] {
  const { spec, status } = target.facts
  const running = new Set(
    (status?.ephemeralContainerStatuses ?? []).filter(({ state }) => state?.running).map(({ name }) => name),
  )
  return (spec?.ephemeralContainers ?? [])
    .filter((container) => {
      const { name = '' } = container
      const isFromRepository = name.startsWith(captureIdPrefix(repository))
      return isFromRepository && running.has(name) && deadlineSecondsOf(container) * 1000 < serverTimeMs
    })
    .map(({ name = '' }) => name)
}

/** Asks a recorder to stop, delete its spool and end. @returns the result, in words; never rejects */
export async function stopStaleRecorder(connection: Connection, target: PodTarget, container: string): Promise<string> {
  const { namespace, pod } = target
  try {
    const command = ['sh', '-c', stopRecorderScript, 'sh', ...spoolDirsOf(container)]
    const { openRemoteCommand } = await import('../cluster/remote-command.ts')
    const process = await openRemoteCommand(
      connection,
      { namespace, pod, container, command },
      { stdout: () => undefined, stderr: () => undefined },
    )
    await process.ended
    return `Stopped ${container}, which an earlier run left running in pod ${pod}`
  } catch (error) {
    return `${container}, from an earlier run, still runs in pod ${pod} and could not be stopped: ${messageOf(error)}`
  }
}
