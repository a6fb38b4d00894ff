import {
  filterForPod,
  filterWithoutExec,
  filterWithoutPeers,
  filterWithoutSsh,
} from '../../../src/capture/node-filter.ts'

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

it('leaves out the stream that carries the capture of a whole node', () => {
  expect(filterWithoutExec(10250, [{ address: '192.0.2.1', port: 443 }], 'tcp')).toBe(
    '(not tcp port 10250 and not tcp port 8132 and not net 127.0.0.0/8 and not host ::1 and not (host 192.0.2.1 and tcp port 443)) and (tcp)',
  )
  expect(filterWithoutSsh('35.235.241.3 40000 10.128.0.7 22', '')).toBe(
    'not (tcp port 22 and (host 35.235.241.3 or net 35.235.240.0/20 or net 2600:2d00:1:7::/64))',
  )
  expect(filterWithoutSsh('', 'tcp')).toBe(
    '(not (tcp port 22 and (net 35.235.240.0/20 or net 2600:2d00:1:7::/64))) and (tcp)',
  )
})

it("leaves out the runner's own ways, each by address and port together, and is no more than asked for where there is none", () => {
  const peers = [
    { address: '192.0.2.1', port: 443 },
    { address: '2001:db8::1', port: 6443 },
  ]
  const without = 'not (host 192.0.2.1 and tcp port 443) and not (host 2001:db8::1 and tcp port 6443)'
  expect(filterWithoutPeers(peers, 'tcp or udp')).toBe(`(${without}) and (tcp or udp)`)
  expect(filterWithoutPeers(peers, '')).toBe(without)
  expect(filterWithoutPeers([], 'tcp')).toBe('tcp')
})
