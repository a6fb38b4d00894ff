import { readdirSync, readFileSync } from 'node:fs'

/** The process and all its descendants, children after their parents. */
export function processTree(root: number): number[] {
  const children = new Map<number, number[]>()
  for (const pid of processIds()) {
    const parent = parentOf(pid)
    if (parent !== undefined) children.set(parent, [...(children.get(parent) ?? []), pid])
  }
  const tree = [root]
  for (const pid of tree) tree.push(...(children.get(pid) ?? []))
  return tree
}

/** The processes whose environment holds `NAME=value`: how the runner finds the leftover processes of a job. */
export function processesWith(name: string, value: string): number[] {
  return processIds().filter((pid) => {
    try {
      return readFileSync(`/proc/${String(pid)}/environ`, 'utf8')
        .split('\0')
        .includes(`${name}=${value}`)
    } catch {
      return false // the process has ended or is not readable
    }
  })
}

/** Ends a process that may have ended already. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

export const processIds = (): number[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)

function parentOf(pid: number): number | undefined {
  try {
    // The name is in parentheses and can contain any character; state and parent follow the last parenthesis.
    const stat = readFileSync(`/proc/${String(pid)}/stat`, 'utf8')
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])
  } catch {
    return undefined
  }
}
