import { captureRights, requireRights } from '../../../src/cluster/access.ts'
import { ConfigurationError } from '../../../src/errors.ts'
import { startServer, status, type Server } from './server.ts'

let server: Server
beforeEach(async () => {
  server = await startServer()
})
afterEach(async () => {
  await server.stop()
})

interface Review {
  spec: {
    resourceAttributes: { namespace: string; verb: string; group: string; resource: string; subresource?: string }
  }
}

/** Allows what `allow` says of `verb resource/subresource`. */
function answer(allow: (right: string) => boolean): void {
  server.answer = ({ body }) => {
    const { verb, resource, subresource } = (JSON.parse(body) as Review).spec.resourceAttributes
    const right = `${verb} ${resource}${subresource === undefined ? '' : `/${subresource}`}`
    return { status: 201, body: { status: { allowed: allow(right) } } }
  }
}
const review = (): Promise<void> => requireRights(server.connection, 'shop', captureRights)

it('asks for each right of a capture in its namespace, by POST of a SelfSubjectAccessReview', async () => {
  answer(() => true)
  await expect(review()).resolves.toBeUndefined()
  const asked = server.requests.map(({ method, path, body }) => {
    expect({ method, path }).toEqual({ method: 'POST', path: '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews' })
    expect(JSON.parse(body)).toMatchObject({ apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectAccessReview' })
    const { namespace, verb, group, resource, subresource } = (JSON.parse(body) as Review).spec.resourceAttributes
    expect({ namespace, group }).toEqual({ namespace: 'shop', group: '' })
    return `${verb} ${resource}/${subresource ?? ''}`
  })
  expect(asked.sort()).toEqual(['create pods/exec', 'get pods/', 'get pods/exec', 'patch pods/ephemeralcontainers'])
})

it('names every missing verb with its resource at once, with the rules that would give them', async () => {
  answer((right) => right === 'get pods')
  const refused = review()
  await expect(refused).rejects.toThrow(ConfigurationError)
  await expect(refused).rejects.toThrow(
    /^kubeconfig: .* in the namespace "shop": patch pods\/ephemeralcontainers, get pods\/exec, create pods\/exec\. Nothing was created\./,
  )
  await expect(refused).rejects.toThrow(
    '{ apiGroups: [""], resources: ["pods/ephemeralcontainers"], verbs: ["patch"] }',
  )
  await expect(refused).rejects.not.toThrow('"pods"')
})

it('takes an answer without words for a no', async () => {
  server.answer = () => ({ status: 201, body: {} })
  await expect(review()).rejects.toThrow(/get pods, patch/)
})

it('hands on the error of a server that does not answer the question', async () => {
  server.answer = () => ({ status: 500, body: status('InternalError', 'etcd is away') })
  await expect(review()).rejects.toThrow('etcd is away')
})
