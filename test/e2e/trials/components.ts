import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { signal } from '../../runner/processes.ts'
import { command, kubectl, testClusterScripts, testClusterState, until } from '../cluster.ts'

/** Components of the test cluster that a trial has stopped. */
const down = new Set<string>()

/** Ends a component with SIGKILL. */
export async function killComponent(name: string): Promise<void> {
  const pid = Number(readFileSync(join(testClusterState ?? '', `${name}.pid`), 'utf8'))
  down.add(name)
  signal(pid, 'SIGKILL')
  await until(`the end of ${name}`, 10_000, () => Promise.resolve(lives(pid) ? undefined : true))
}

export async function startComponent(name: string): Promise<void> {
  await command(join(testClusterScripts ?? '', 'start'), [name])
  down.delete(name)
}

/** Starts every stopped component, and waits until an exec into the pod works. */
export async function restoreComponents(namespace: string, pod: string): Promise<void> {
  for (const name of [...down]) await startComponent(name)
  await until('an exec through the whole cluster', 60_000, () =>
    kubectl(['-n', namespace, 'exec', pod, '--', 'true'], { timeout: 5_000 }),
  )
}

/** A zombie process has no command line. */
function lives(pid: number): boolean {
  try {
    return readFileSync(`/proc/${String(pid)}/cmdline`).length > 0
  } catch {
    return false
  }
}
