import { execStream, filterForPod, filterWithoutSsh, noWays, ways, without } from '../../../src/capture/node-filter.ts'

const pod = (...ips: string[]) => ({ status: { podIPs: ips.map((ip) => ({ ip })) } })

it('narrows to the addresses of the pod, of both families, and to what the user asks for', () => {
  expect(filterForPod(pod('10.0.0.5', 'fd00::5'), 'tcp port 80 or udp')).toBe(
    '(host 10.0.0.5 or host fd00::5) and (tcp port 80 or udp)',
  )
  expect(filterForPod(pod('10.0.0.5'), '')).toBe('host 10.0.0.5')
})

it('is refused where the pod has no address: it would be the whole node', () => {
  expect(() => filterForPod({ metadata: { name: 'web' }, status: {} }, 'tcp')).toThrow(/^pod: "web" has no address yet/)
})

it('takes the one address of an old API server', () => {
  expect(filterForPod({ status: { podIP: '10.0.0.5' } }, 'icmp')).toBe('(host 10.0.0.5) and (icmp)')
})

it.each(['vlan and tcp', 'vlan 5', 'tcp or (mpls 100)', 'not vlan', 'tcp and geneve', '!vxlan', 'pppoes and ip'])(
  'is refused where the filter shifts what is joined to it: %s',
  (filter) => {
    expect(() => filterForPod(pod('10.0.0.5'), filter)).toThrow(/^filter: "\w+" looks behind a header/)
  },
)
it.each(['host vlan.example', 'host my-vlan', 'tcp port 80'])('takes %s', (filter) => {
  expect(filterForPod(pod('10.0.0.5'), filter)).toContain(filter)
})

const peers = [
  { address: '192.0.2.1', port: 443 },
  { address: '2001:db8::1', port: 6443 },
]
const near = { runner: ['10.0.0.9'], node: ['10.128.0.7'], peers, behind: [] }

it('leaves out the stream that carries the capture of a whole node', () => {
  expect(without(execStream(10250, noWays), 'tcp')).toBe(
    '(not (tcp port 10250) and not (tcp port 8132) and not (net 127.0.0.0/8) and not (host ::1)) and (tcp)',
  )
  expect(filterWithoutSsh('35.235.241.3 40000 10.128.0.7 22', '')).toBe(
    'not (tcp port 22 and (host 35.235.241.3 or net 35.235.240.0/20 or net 2600:2d00:1:7::/64))',
  )
  expect(filterWithoutSsh('', 'tcp')).toBe(
    '(not (tcp port 22 and (net 35.235.240.0/20 or net 2600:2d00:1:7::/64))) and (tcp)',
  )
})

it("leaves out the runner's own connections only: as a pod's, and behind the node's address", () => {
  expect(ways(near)).toEqual([
    'tcp and host 10.0.0.9',
    'host 10.128.0.7 and host 192.0.2.1 and tcp port 443',
    'host 10.128.0.7 and host 2001:db8::1 and tcp port 6443',
  ])
  // The API server is behind a Service: what leaves the node goes to another port of another address.
  expect(ways({ ...near, peers: [], behind: [6443] })).toContain('host 10.128.0.7 and tcp port 6443')
  // It is on the node itself: nothing tells one end from the other.
  expect(ways({ ...near, runner: [], peers: [{ address: '10.128.0.7', port: 6443 }] })).toEqual([
    'host 10.128.0.7 and tcp port 6443',
  ])
  expect(ways({ ...near, runner: [], peers: [{ address: '127.0.0.1', port: 6443 }] })).toEqual([
    'host 127.0.0.1 and tcp port 6443',
  ])
  expect(without(ways(noWays), 'tcp')).toBe('tcp')
})

it('of a pod that carries the capture itself leaves out that', () => {
  const own = { ...near, runner: ['10.0.0.5'], behind: [6443] }
  expect(filterForPod(pod('10.0.0.5'), '', own)).toBe(
    '(host 10.0.0.5) and (not (host 192.0.2.1 and tcp port 443) and not (host 2001:db8::1 and tcp port 6443) and not (tcp port 6443))',
  )
  expect(filterForPod(pod('10.0.0.6'), '', own)).toBe('host 10.0.0.6')
  const agent = { ...pod('10.0.0.6'), metadata: { labels: { 'k8s-app': 'konnectivity-agent' } } }
  expect(filterForPod(agent, 'tcp', own)).toBe('((host 10.0.0.6) and (not (tcp port 8132))) and (tcp)')
})
