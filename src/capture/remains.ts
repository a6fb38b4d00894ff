import { openRemoteCommand } from '../cluster/remote-command.ts'
import type { Connection } from '../cluster/connection.ts'
import type { Target } from '../cluster/target.ts'
import { messageOf } from '../errors.ts'
import { containerPrefix, spoolDirectories } from './container.ts'

/** Names of containers that an earlier run of this repository left running in the target, though their deadline has passed. */
export function findRemains(target: Target, repository: string, serverTime: number): readonly string[] {
  const { spec, status } = target.facts
  const running = new Set(
    (status?.ephemeralContainerStatuses ?? []).filter(({ state }) => state?.running).map(({ name }) => name),
  )
  return (spec?.ephemeralContainers ?? [])
    .filter(({ name = '', env = [] }) => {
      const deadline = Number(env.find((variable) => variable.name === 'CAPTURE_DEADLINE')?.value)
      return name.startsWith(containerPrefix(repository)) && running.has(name) && deadline * 1000 < serverTime
    })
    .map(({ name = '' }) => name)
}

/** Asks a recorder to stop, remove what it has and end, without a signal: PID 1 may be somebody else's. Says what came of it. */
export async function endRemains(connection: Connection, target: Target, container: string): Promise<string> {
  const places = spoolDirectories(container).join(' ')
  const script = `for d in ${places}; do [ ! -d $d ] || { echo cancelled >$d/stop; : >$d/done; }; done`
  try {
    const { namespace, pod } = target
    const command = await openRemoteCommand(
      connection,
      { namespace, pod, container, command: ['sh', '-c', script] },
      { stdout: () => undefined, stderr: () => undefined },
    )
    await command.ended
    return `Ended ${container}, which an earlier run had left in pod ${pod}`
  } catch (error) {
    return `${container}, of an earlier run, still runs in pod ${target.pod} and could not be ended: ${messageOf(error)}`
  }
}
