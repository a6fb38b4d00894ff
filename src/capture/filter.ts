import { execFile } from 'node:child_process'
import { ConfigurationError } from '../errors.ts'
import type { Pod } from '../cluster/pod.ts'

/**
 * Compiles the filter with the runner's tcpdump, where there is one, for the link type that the capture will have. The pod's own check follows
 * before the start; this one is early, and creates nothing.
 * @returns whether it could be checked
 * @throws ConfigurationError with tcpdump's words
 */
export async function checkFilterHere(filter: string, networkInterface: string): Promise<boolean> {
  if (filter === '') return false
  // Only what every Linux pod has: the link type of another interface is known in the pod alone.
  const linkType =
    networkInterface === 'any' ? 'LINUX_SLL2' : /^(eth\d+|lo)$/.test(networkInterface) ? 'EN10MB' : undefined
  if (linkType === undefined) return false
  const answer = await compile(linkType, filter)
  if (answer === undefined) return false
  if (answer === '') return true
  // A tcpdump that is too old for SLL2, or a name that only the cluster's DNS knows, says nothing about the filter.
  if (/invalid data link type|unknown host|resolve/i.test(answer)) return false
  throw new ConfigurationError(
    `filter: got ${JSON.stringify(filter)}, which tcpdump refuses for the interface ${networkInterface}: ${answer}. ` +
      'Nothing was created. See pcap-filter(7) for the language.',
  )
}

/** tcpdump's complaint, '' where it has none, undefined where it cannot be asked. */
function compile(linkType: string, filter: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    // An absolute path of another program's choosing is not run: PATH decides, as for every tool of the runner's.
    execFile('tcpdump', ['-y', linkType, '-d', '--', filter], { timeout: 5_000 }, (error, _stdout, stderr) => {
      if (!error) resolve('')
      else if (typeof error.code === 'number')
        resolve(
          stderr
            .replace(/^tcpdump: /gm, '')
            .trim()
            .replace(/\s*\n\s*/g, '; '),
        )
      else resolve(undefined)
    })
  })
}

/**
 * Behind a sidecar, what the app sends goes to 127.0.0.1:15001 first, so a filter on a service's port misses the plaintext requests of the
 * outbound leg. The wider filter, or undefined where there is no sidecar or nothing is missed.
 */
export function widerFilter(pod: Pod, filter: string): string | undefined {
  const containers = [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? [])]
  const sidecar = containers.some(
    ({ name, args = [], ports = [] }) =>
      name === 'istio-proxy' ||
      ports.some(({ containerPort }) => containerPort === 15001) ||
      // istio-init's and istio-cni's arguments: -p PORT is where outbound traffic is redirected to
      args.some((word, i) => word === '15001' && args[i - 1] === '-p'),
  )
  if (!sidecar || filter === '' || !/\bport(range)?\b/.test(filter) || /\b15001\b/.test(filter)) return undefined
  return `(${filter}) or tcp port 15001`
}
