import type { Pod } from '../../../src/cluster/pod.ts'
import { findTargets, type PodTarget } from '../../../src/cluster/target.ts'
import { startServer, status, type Answer, type ReceivedRequest, type Server } from '../../support/api-server.ts'
import { podOf } from '../../support/pods.ts'
import { refusal } from '../../support/refusal.ts'
import { useFastClock } from '../../support/fast-clock.ts'

useFastClock()

let server: Server
let pods: Pod[]
/** an answer that replaces the default answers */
let fault: (request: ReceivedRequest) => Answer | undefined

beforeEach(async () => {
  server = await startServer()
  pods = []
  fault = () => undefined
  server.answer = (request) => {
    const given = fault(request)
    if (given) return given
    const { pathname } = new URL(request.path, server.url)
    if (pathname === '/api/v1/namespaces/shop/pods') return { status: 200, body: { items: pods } }
    const name = /^\/api\/v1\/namespaces\/shop\/pods\/([^/]+)$/.exec(pathname)?.[1]
    const found = pods.find(({ metadata }) => metadata?.name === name)
    return found ? { status: 200, body: found } : { status: 404, body: status('NotFound', 'not found') }
  }
})
afterEach(async () => {
  await server.stop()
})

const findPod = async (name: string): Promise<readonly PodTarget[]> =>
  (await findTargets(server.connection, 'shop', { kind: 'pod', name })).targets

describe('a named pod', () => {
  it('is a target with its current state', async () => {
    pods = [podOf('web-1')]
    await expect(findPod('web-1')).resolves.toEqual([
      { kind: 'pod', namespace: 'shop', pod: 'web-1', uid: 'uid-web-1', node: 'node-1', facts: pods[0] },
    ])
    expect(server.requests).toHaveLength(1)
  })

  it('that does not exist is an error with similar names', async () => {
    pods = ['checkout-7d9f-aaaaa', 'checkout-7d9f-bbbbb', 'checkuot', 'db-0', 'unrelated-thing'].map((name) =>
      podOf(name),
    )
    expect(await refusal(findPod('checkout'))).toMatch(
      /^pod: there is no pod "checkout" in the namespace "shop"\. Pods with similar names: checkout-7d9f-[ab]+, checkout-7d9f-[ab]+, checkuot\.$/,
    )
    expect(await refusal(findPod('db-1'))).toContain('Pods with similar names: db-0, ')
  })

  it('in a namespace without pods is an error that names the cluster', async () => {
    expect(await refusal(findPod('web-1'))).toMatch(
      /The namespace has no pods: check that it is the right one, .*test\.example/,
    )
  })

  it('that does not exist is an error with the command to list pods when the user may not list them', async () => {
    fault = ({ path }) => (path.includes('?') ? { status: 403, body: status('Forbidden', 'no list') } : undefined)
    expect(await refusal(findPod('web-1'))).toContain('List the pods with `kubectl -n shop get pods`')
  })

  it('that the user may not get is an error that names the right', async () => {
    fault = () => ({ status: 403, body: status('Forbidden', 'pods "web-1" is forbidden') })
    expect(await refusal(findPod('web-1'))).toMatch(
      /^kubeconfig: its user may not get pods in the namespace "shop" \(pods "web-1" is forbidden\)\. Grant the verb "get" on "pods"/,
    )
  })

  it('keeps the message of a server that fails', async () => {
    fault = () => ({ status: 500, body: status('InternalError', 'etcd is away') })
    await expect(findPod('web-1')).rejects.toThrow('etcd is away')
  })

  it.each(['null', '[]', '{}', '{"metadata":{"name":"other"}}', '<html>log in</html>'])(
    'is an error when the answer is not from an API server: %s',
    async (body) => {
      fault = () => ({ status: 200, body })
      expect(await refusal(findPod('web-1'))).toMatch(/^kubeconfig: .*an API server/)
    },
  )
})
