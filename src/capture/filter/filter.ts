import { execFile } from 'node:child_process'
import { childEnvironment } from '../../common/child-environment.ts'
import { ConfigurationError } from '../../common/errors.ts'
import type { Pod } from '../../cluster/pod.ts'

/**
 * Compiles the filter with the runner's tcpdump, where it has one, for the link type that the capture will have. The recorder compiles it again
 * before it records; this check is early and creates nothing.
 * @returns whether the filter could be checked
 * @throws ConfigurationError with tcpdump's message
 */
export async function checkFilterHere(filter: string | undefined, networkInterface: string): Promise<boolean> {
  if (filter === undefined) return false
  const linkType = linkTypeOf(networkInterface)
  if (linkType === undefined) return false
  const result = await compile(linkType, filter)
  if (result === 'not-run') return false
  if (result === 'accepted') return true
  const { message } = result
  // A tcpdump without SLL2, or a name that only the cluster's DNS has, means nothing for the filter.
  if (/invalid data link type|unknown host|resolve/i.test(message)) return false
  throw new ConfigurationError({
    code: 'E_FILTER_REJECTED',
    input: 'filter',
    problem: `tcpdump rejects ${JSON.stringify(filter)} for the interface ${networkInterface}`,
    message,
    fix: 'See pcap-filter(7) for the language.',
  })
}

/** Only of interfaces that every Linux pod has: the link type of another interface is known in the pod alone. */
function linkTypeOf(networkInterface: string): string | undefined {
  if (networkInterface === 'any') return 'LINUX_SLL2'
  return /^(eth\d+|lo)$/.test(networkInterface) ? 'EN10MB' : undefined
}

/** What tcpdump says about a filter; `message` is its error. */
type CompileResult = 'accepted' | 'not-run' | { readonly message: string }

function compile(linkType: string, filter: string): Promise<CompileResult> {
  return new Promise((resolve) => {
    // Found in PATH, as every tool of the runner: no absolute path that another program could have chosen.
    const options = { timeout: 5_000, env: childEnvironment(process.env) }
    execFile('tcpdump', ['-y', linkType, '-d', '--', filter], options, (error, _stdout, stderr) => {
      if (!error) resolve('accepted')
      else if (typeof error.code === 'number') resolve({ message: oneLine(stderr) })
      else resolve('not-run')
    })
  })
}

function oneLine(stderr: string): string {
  return stderr
    .replace(/^tcpdump: /gm, '')
    .trim()
    .replace(/\s*\n\s*/g, '; ')
}

/**
 * In a pod with a sidecar, the app's outgoing requests go to 127.0.0.1:15001 first, so a filter on a service's port misses their plaintext.
 * @returns the wider filter, or undefined where there is no sidecar or the filter misses nothing
 */
export function widerFilter(pod: Pod, filter: string | undefined): string | undefined {
  if (!hasSidecar(pod) || filter === undefined || !/\bport(range)?\b/.test(filter) || /\b15001\b/.test(filter))
    return undefined
  return `(${filter}) or tcp port 15001`
}

function hasSidecar({ spec }: Pod): boolean {
  return [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])].some(
    ({ name, args = [], ports = [] }) =>
      name === 'istio-proxy' ||
      ports.some(({ containerPort }) => containerPort === 15001) ||
      // The arguments of istio-init and istio-cni: -p PORT is where outbound traffic is redirected to.
      args.some((arg, i) => arg === '15001' && args[i - 1] === '-p'),
  )
}
