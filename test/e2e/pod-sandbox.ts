import { join } from 'node:path'
import { command, testClusterState } from './cluster.ts'

/** Kills the sandbox of a pod (its pause process), as a node does that runs out of memory. The kubelet then creates a new one for the same pod. */
export async function killSandbox(namespace: string, pod: string): Promise<void> {
  const ctr = (args: readonly string[]): Promise<string> =>
    command('ctr', ['-a', join(testClusterState ?? '', 'containerd.sock'), '-n', 'k8s.io', ...args])
  const label = (name: string, value: string): string => `labels."io.${name}"==${value}`
  const filter = [
    label('kubernetes.pod.name', pod),
    label('kubernetes.pod.namespace', namespace),
    label('cri-containerd.kind', 'sandbox'),
  ].join(',')
  const [sandbox = ''] = (await ctr(['containers', 'list', '--quiet', filter])).split('\n')
  await ctr(['tasks', 'kill', '--signal', 'SIGKILL', sandbox])
}
