import { globSync, readFileSync } from 'node:fs'
import { getPod } from './cluster.ts'

/**
 * The CPU time of a container on a node that is this machine, seconds: of all its processes, from its control group. Undefined once the container
 * has ended, and on a cluster elsewhere.
 */
export async function containerCpu(
  namespace: string,
  pod: string,
  container: string,
): Promise<() => number | undefined> {
  const { status } = await getPod(namespace, pod)
  const all = [...(status.containerStatuses ?? []), ...(status.ephemeralContainerStatuses ?? [])]
  const id = all.find(({ name }) => name === container)?.containerID?.split('//')[1]
  if (id === undefined) return () => undefined
  const [usage] = globSync(`/sys/fs/cgroup/cpuacct/**/*${id}*/cpuacct.usage`)
  const [stat] = usage === undefined ? globSync(`/sys/fs/cgroup/**/*${id}*/cpu.stat`) : []
  return () => {
    try {
      if (usage !== undefined) return Number(readFileSync(usage, 'utf8')) / 1e9
      if (stat !== undefined) return Number(/usage_usec (\d+)/.exec(readFileSync(stat, 'utf8'))?.[1]) / 1e6
    } catch {
      // the control group ends with the container
    }
    return undefined
  }
}
