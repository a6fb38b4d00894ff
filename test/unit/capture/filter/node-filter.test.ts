import {
  execStream,
  filterForPod,
  filterWithoutSsh,
  noRunnerTraffic,
  runnerTrafficExpressions,
  excludeRunnerTraffic,
} from '../../../../src/capture/filter/node-filter.ts'

const pod = (...ips: string[]) => ({ status: { podIPs: ips.map((ip) => ({ ip })) } })

it('matches only the IPv4 and IPv6 addresses of the pod and the filter of the user', () => {
  expect(filterForPod(pod('10.0.0.5', 'fd00::5'), 'tcp port 80 or udp')).toBe(
    '(host 10.0.0.5 or host fd00::5) and (tcp port 80 or udp)',
  )
  expect(filterForPod(pod('10.0.0.5'), undefined)).toBe('host 10.0.0.5')
})

it('rejects a pod without an address, because the filter would match the whole node', () => {
  expect(() => filterForPod({ metadata: { name: 'web' }, status: {} }, 'tcp')).toThrow(/^pod: "web" has no address yet/)
})

it('uses the only address that an old API server reports', () => {
  expect(filterForPod({ status: { podIP: '10.0.0.5' } }, 'icmp')).toBe('(host 10.0.0.5) and (icmp)')
})

it.each(['vlan and tcp', 'vlan 5', 'tcp or (mpls 100)', 'not vlan', 'tcp and geneve', '!vxlan', 'pppoes and ip'])(
  'rejects a filter that changes the offsets of the combined filter: %s',
  (filter) => {
    expect(() => filterForPod(pod('10.0.0.5'), filter)).toThrow(/^filter: "\w+" reads behind a header/)
  },
)
it.each(['host vlan.example', 'host my-vlan', 'tcp port 80'])('accepts the filter %s', (filter) => {
  expect(filterForPod(pod('10.0.0.5'), filter)).toContain(filter)
})

const peers = [
  { address: '192.0.2.1', port: 443 },
  { address: '2001:db8::1', port: 6443 },
]
const near = { runner: ['10.0.0.9'], node: ['10.128.0.7'], peers, behind: [] }

it('excludes the capture stream from a capture of a whole node', () => {
  expect(excludeRunnerTraffic(execStream(10250, noRunnerTraffic), 'tcp')).toBe(
    '(not (tcp port 10250) and not (tcp port 8132) and not (net 127.0.0.0/8) and not (host ::1)) and (tcp)',
  )
  const tunnelRanges = ['35.235.240.0/20', '2600:2d00:1:7::/64']
  expect(filterWithoutSsh({ connection: '35.235.241.3 40000 10.128.0.7 22', tunnelRanges }, undefined)).toBe(
    'not (tcp port 22 and (host 35.235.241.3 or net 35.235.240.0/20 or net 2600:2d00:1:7::/64))',
  )
  expect(filterWithoutSsh({ connection: undefined, tunnelRanges }, 'tcp')).toBe(
    '(not (tcp port 22 and (net 35.235.240.0/20 or net 2600:2d00:1:7::/64))) and (tcp)',
  )
})

it("excludes only the runner's connections, from the pod's address and from the node's address", () => {
  expect(runnerTrafficExpressions(near)).toEqual([
    'tcp and host 10.0.0.9',
    'host 10.128.0.7 and host 192.0.2.1 and tcp port 443',
    'host 10.128.0.7 and host 2001:db8::1 and tcp port 6443',
  ])
  // The API server is behind a Service: packets leave the node with another destination address and port.
  expect(runnerTrafficExpressions({ ...near, peers: [], behind: [6443] })).toContain(
    'host 10.128.0.7 and tcp port 6443',
  )
  // The runner is on the node itself: both ends have the same address.
  expect(runnerTrafficExpressions({ ...near, runner: [], peers: [{ address: '10.128.0.7', port: 6443 }] })).toEqual([
    'host 10.128.0.7 and tcp port 6443',
  ])
  expect(runnerTrafficExpressions({ ...near, runner: [], peers: [{ address: '127.0.0.1', port: 6443 }] })).toEqual([
    'host 127.0.0.1 and tcp port 6443',
  ])
  expect(excludeRunnerTraffic(runnerTrafficExpressions(noRunnerTraffic), 'tcp')).toBe('tcp')
})

it('excludes the capture stream when the target pod carries it', () => {
  const own = { ...near, runner: ['10.0.0.5'], behind: [6443] }
  expect(filterForPod(pod('10.0.0.5'), undefined, own)).toBe(
    '(host 10.0.0.5) and (not (host 192.0.2.1 and tcp port 443) and not (host 2001:db8::1 and tcp port 6443) and not (tcp port 6443))',
  )
  expect(filterForPod(pod('10.0.0.6'), undefined, own)).toBe('host 10.0.0.6')
  const agent = { ...pod('10.0.0.6'), metadata: { labels: { 'k8s-app': 'konnectivity-agent' } } }
  expect(filterForPod(agent, 'tcp', own)).toBe('((host 10.0.0.6) and (not (tcp port 8132))) and (tcp)')
})

it('excludes nothing where there is no traffic of the runner, with and without a filter', () => {
  expect(excludeRunnerTraffic([], undefined)).toBeUndefined()
  expect(excludeRunnerTraffic([], 'tcp')).toBe('tcp')
  expect(excludeRunnerTraffic(['host 10.0.0.9'], undefined)).toBe('not (host 10.0.0.9)')
})
