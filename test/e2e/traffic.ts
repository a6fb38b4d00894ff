import { kubectl } from './cluster.ts'

/**
 * Sends HTTP requests from a pod with curl, one connection each, to every URL of a curl pattern (`/n/[1-200]`).
 * @returns the status of each, in order; 0 where no response arrived
 */
export async function request(namespace: string, pod: string, pattern: string): Promise<number[]> {
  const text = await kubectl([
    ...['-n', namespace, 'exec', pod, '-c', 'app', '--', 'sh', '-c'],
    // curl's exit code is only that of its last request, so the statuses are used
    ...[`curl -s -o /dev/null --max-time 30 -w '%{http_code}\\n' "$0" || true`, pattern],
  ])
  return text.trim().split('\n').map(Number)
}

/** No process listens on this port, and no other traffic uses it. */
export const discardPort = 47813

/** Sends `packets` UDP datagrams of 1400 zero bytes to `discardPort` of an address, in bursts of 50. */
export async function datagrams(namespace: string, pod: string, address: string, packets: number): Promise<void> {
  const script = `n=0; while [ $n -lt ${String(packets)} ]; do dd if=/dev/zero bs=1400 count=50 2>/dev/null >/dev/udp/${address}/${String(discardPort)}; n=$((n+50)); done`
  await kubectl(['-n', namespace, 'exec', pod, '-c', 'app', '--', 'bash', '-c', script])
}
