import { HttpsProxyAgent } from 'https-proxy-agent'
import { noWays } from '../../src/capture/node-filter.ts'
import { ownWays } from '../../src/own-ways.ts'

const node = {
  status: {
    addresses: [
      { type: 'InternalIP', address: '10.128.0.7' },
      { type: 'Hostname', address: 'node-1' },
    ],
  },
}
const server = { server: 'https://192.0.2.1', agent: undefined }
const inCluster = { KUBERNETES_SERVICE_HOST: '10.96.0.1' }

it('of a runner elsewhere there is nothing to tell on a node', async () => {
  await expect(ownWays([server], node, {}, ['203.0.113.5'])).resolves.toBe(noWays)
})

it('a runner in a pod is told by its address, and behind that of the node', async () => {
  await expect(ownWays([server], node, inCluster, ['10.0.0.9'])).resolves.toEqual({
    ...{ runner: ['10.0.0.9'], node: ['10.128.0.7'], behind: [] },
    peers: [{ address: '192.0.2.1', port: 443 }],
  })
})

it('a runner on the node itself is told by its peers alone', async () => {
  const ways = [server, { server: 'ws://[::1]:8080/v4', agent: undefined }]
  await expect(ownWays(ways, node, {}, ['10.128.0.7', '172.17.0.1'])).resolves.toEqual({
    ...{ runner: [], node: ['10.128.0.7'], behind: [] },
    peers: [
      { address: '192.0.2.1', port: 443 },
      { address: '::1', port: 8080 },
    ],
  })
})

it('of what a node calls its addresses, only some addresses become a part of the filter', async () => {
  const calls = [
    '10.128.0.7 or tcp',
    'fe80::1%eth0',
    ...Array.from({ length: 1_000 }, (_, i) => `10.1.${String(i >> 8)}.${String(i & 255)}`),
  ]
  const hostile = { status: { addresses: calls.map((address) => ({ type: 'InternalIP', address })) } }
  const ways = await ownWays([server], hostile, inCluster, ['10.0.0.9'])
  expect(ways.node).toEqual(calls.slice(2, 12))
})

it('the Service of the API server hides the port where it listens', async () => {
  const service = { server: 'https://10.96.0.1', agent: undefined }
  await expect(ownWays([service], node, inCluster, ['10.0.0.9'])).resolves.toMatchObject({ behind: [6443] })
})

it('behind a proxy the peer is the proxy', async () => {
  const agent = new HttpsProxyAgent('http://192.0.2.9:3128')
  await expect(ownWays([{ ...server, agent }], undefined, inCluster, ['10.0.0.9'])).resolves.toMatchObject({
    node: [],
    peers: [{ address: '192.0.2.9', port: 3128 }],
  })
})
