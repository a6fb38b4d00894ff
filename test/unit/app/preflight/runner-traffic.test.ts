import { HttpsProxyAgent } from 'https-proxy-agent'
import { noRunnerTraffic } from '../../../../src/capture/filter/node-filter.ts'
import { findRunnerTraffic } from '../../../../src/app/preflight/runner-traffic.ts'

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

it('finds no traffic of a runner outside the cluster, because that traffic does not pass the node', async () => {
  await expect(findRunnerTraffic([server], node, {}, ['203.0.113.5'])).resolves.toBe(noRunnerTraffic)
})

it('finds a runner in a pod by the addresses of the pod and of the node', async () => {
  await expect(findRunnerTraffic([server], node, inCluster, ['10.0.0.9'])).resolves.toEqual({
    ...{ runner: ['10.0.0.9'], node: ['10.128.0.7'], behind: [] },
    peers: [{ address: '192.0.2.1', port: 443 }],
  })
})

it('finds a runner on the node itself only by the addresses of its peers', async () => {
  const ways = [server, { server: 'ws://[::1]:8080/v4', agent: undefined }]
  await expect(findRunnerTraffic(ways, node, {}, ['10.128.0.7', '172.17.0.1'])).resolves.toEqual({
    ...{ runner: [], node: ['10.128.0.7'], behind: [] },
    peers: [
      { address: '192.0.2.1', port: 443 },
      { address: '::1', port: 8080 },
    ],
  })
})

it('uses only valid addresses of a node in the filter, and limits their number', async () => {
  const calls = [
    '10.128.0.7 or tcp',
    'fe80::1%eth0',
    ...Array.from({ length: 1_000 }, (_, i) => `10.1.${String(i >> 8)}.${String(i & 255)}`),
  ]
  const hostile = { status: { addresses: calls.map((address) => ({ type: 'InternalIP', address })) } }
  const ways = await findRunnerTraffic([server], hostile, inCluster, ['10.0.0.9'])
  expect(ways.node).toEqual(calls.slice(2, 12))
})

it('finds the port of the API server behind its Service', async () => {
  const service = { server: 'https://10.96.0.1', agent: undefined }
  await expect(findRunnerTraffic([service], node, inCluster, ['10.0.0.9'])).resolves.toMatchObject({ behind: [6443] })
})

it('finds the proxy as the peer when the runner uses a proxy', async () => {
  const agent = new HttpsProxyAgent('http://192.0.2.9:3128')
  await expect(findRunnerTraffic([{ ...server, agent }], undefined, inCluster, ['10.0.0.9'])).resolves.toMatchObject({
    node: [],
    peers: [{ address: '192.0.2.9', port: 3128 }],
  })
})
