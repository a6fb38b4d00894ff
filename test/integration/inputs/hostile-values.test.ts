import { readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { load } from 'js-yaml'
import { recorderPayload } from '../../../src/capture/payload.ts'
import { recorderContainer } from '../../../src/capture/recorder-container.ts'
import { bearer } from '../../../src/cluster/connection.ts'
import { ConfigurationError } from '../../../src/common/errors.ts'
import { urlPath } from '../../../src/common/url-path.ts'
import { readRequest, type Request } from '../../../src/inputs/request.ts'
import { failureMarkdown } from '../../../src/report/failure.ts'
import { plain } from '../../../src/common/remote-text.ts'
import { createMasks, createStepLog } from '../../runner/step-log.ts'
import { hostileValues, type HostileValue } from '../../security/hostile-values.ts'
import { plan } from '../../support/target.ts'

const actionFile = new URL('../../../action.yml', import.meta.url)
const inputs = Object.keys((load(readFileSync(actionFile, 'utf8')) as { inputs: object }).inputs)
const hostile = hostileValues('/tmp/canary')

/** What else must be set, so that an input is read. */
const beside: Readonly<Record<string, Record<string, string>>> = {
  node: { level: 'node', pod: '', 'allow-host-network': 'true' },
  'toolbox-image': { level: 'node' },
  'node-method': { level: 'node' },
  'node-namespace': { level: 'node' },
  location: { cluster: 'shop', 'project-id': 'shop-prod' },
  'project-id': { cluster: 'shop', location: 'europe-west1' },
  endpoint: { cluster: 'projects/p/locations/l/clusters/c' },
  'workload-identity-provider': { cluster: 'projects/p/locations/l/clusters/c' },
  'service-account': {
    cluster: 'projects/p/locations/l/clusters/c',
    'workload-identity-provider': 'projects/1/locations/global/workloadIdentityPools/p/providers/q',
  },
  'api-server': { token: 't' },
  'certificate-authority': { 'api-server': 'https://k8s.example', token: 't' },
  'oidc-audience': { 'api-server': 'https://k8s.example' },
  token: { 'api-server': 'https://k8s.example' },
}

/** The result of reading the inputs: the request, or the error that a user sees. The source trims, as the runner's inputs are. */
function read(name: string, value: string): Request | ConfigurationError {
  const given: Record<string, string> = { pod: 'web-1', ...beside[name], [name]: value }
  try {
    return readRequest((one) => (given[one] ?? '').trim())
  } catch (error) {
    if (error instanceof ConfigurationError) return error
    throw error
  }
}

const describeValue = ({ attack, value }: HostileValue): string => `${attack} ${JSON.stringify(value.slice(0, 60))}`

/** Every text of the request with the names that lead to it. */
function texts(value: unknown, path = ''): readonly (readonly [string, string])[] {
  if (typeof value === 'string') return [[path, value]]
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, part]) => texts(part, path === '' ? name : `${path}.${name}`))
}

/** Not names: they are read as YAML or PEM, and never printed. */
const multiline = new Set(['access.source.content', 'access.certificateAuthority'])
const objectName = /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/

const harmful = /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]|##\[|^\s*::/

/** What holds for a request, whatever the inputs were. */
function expectHarmless(request: Request): void {
  for (const [path, text] of texts(request)) {
    if (multiline.has(path)) continue
    // Thousands of texts: an `expect` for each takes most of the time of the file.
    if (harmful.test(text)) throw new Error(`${path} is ${JSON.stringify(text)}`)
  }
  expect(request.target.name).toMatch(objectName)
  for (const name of [request.namespace ?? 'x', request.nodeNamespace]) expect(name).toMatch(/^[a-z0-9-]{1,63}$/)
  for (const text of [request.image, request.interface, request.toolboxImage ?? 'x']) expect(text).not.toMatch(/^-|\s/)
  const file = resolve('/runner/temp', `${request.artifactName ?? 'x'}.pcap`)
  expect(dirname(file)).toBe('/runner/temp')
  expect(file).toBe(join('/runner/temp', `${request.artifactName ?? 'x'}.pcap`))
  const { access } = request
  if (access.kind === 'direct') {
    const url = new URL(access.server)
    expect([url.protocol, url.username, url.password, url.search, url.hash]).toEqual(['https:', '', '', '', ''])
  }
  if (access.kind === 'gke') {
    const path = new URL(`https://x.example/${access.cluster.replace(/^(https?:)?\/\/[^/]*\//, '')}`).pathname
    expect(path.slice(1)).toBe(access.cluster.replace(/^(https?:)?\/\/[^/]*\//, ''))
  }
  if (access.kind === 'kubeconfig') {
    for (const name of access.pluginVariables) expect(name).toMatch(/^(INPUT|ACTIONS|STATE)_\w*$/i)
  }
}

/** The error in the log and in the summary. */
function expectHarmlessError(error: ConfigurationError, name: string, value: string): void {
  const log = createStepLog(createMasks())
  for (const line of plain(error.message).split(/\r\n|\n|\r/)) log.line(line)
  expect(log.annotations).toEqual([])
  expect(log.groups).toEqual([])
  expect(error.message.split('\n')).toHaveLength(error.problems.length > 1 ? error.problems.length + 1 : 1)
  expect(error.message.length).toBeLessThan(3_000)
  for (const { code } of error.problems) expect(code).toMatch(/^E_INPUT_/)
  const summary = failureMarkdown(error.problems, error)
  expect(summary).not.toMatch(/<(script|img|details|!--)|\]\(javascript|!\[x\]/)
  if (['token', 'kubeconfig', 'certificate-authority'].includes(name) && value.length > 6) {
    expect(error.message).not.toContain(value)
  }
  expect(error.message).not.toContain('S3cret@')
}

it('has at least 200 different values', () => {
  expect(hostile.length).toBeGreaterThanOrEqual(200)
  expect(new Set(hostile.map(({ value }) => value)).size).toBe(hostile.length)
})

describe.each(inputs)('the input %s', (name) => {
  it('accepts no hostile value that is more than a value, and rejects the others with an error that is harmless', () => {
    for (const { attack, value } of hostile) {
      try {
        const result = read(name, value)
        if (result instanceof ConfigurationError) expectHarmlessError(result, name, value)
        else expectHarmless(result)
      } catch (error) {
        throw new Error(`${describeValue({ attack, value })}: ${(error as Error).message}`, { cause: error })
      }
    }
  })
})

describe.each(
  inputs.filter((name) => !['kubeconfig', 'certificate-authority', 'capabilities', 'exec-env'].includes(name)),
)('the input %s, of one line,', (name) => {
  it('rejects every character that is not visible', () => {
    const accepted = hostile
      .filter(({ attack, value }) => attack === 'invisible' && value.trim() !== '')
      .filter(({ value }) => !(read(name, value) instanceof ConfigurationError))
    expect(accepted.map(describeValue)).toEqual([])
  })

  it('rejects a workflow command at the start of a line, and `##[` anywhere', () => {
    for (const value of ['##[error]x', 'x##[error]y', '::error::x', '\u200b::error::x', 'x\n::error::y']) {
      const error = read(name, value) as ConfigurationError
      expect(error).toBeInstanceOf(ConfigurationError)
      expect(error.problems.filter(({ input }) => input === name)).toHaveLength(1)
    }
  })
})

it('a filter changes one parameter of the recorder, and only the hash in the command of the container', () => {
  const withoutHash = (filter: string | undefined): unknown[] =>
    (recorderContainer('x', plan({ filter }), 1)['command'] as string[]).filter((_, i) => i !== 5)
  const others = (text: string): string[] => text.split('\n').filter((line) => !line.startsWith('CAPTURE_FILTER='))
  const base = recorderPayload('x', plan(), 1).text
  for (const { value } of hostile) {
    const request = read('filter', value)
    if (request instanceof ConfigurationError || request.filter === undefined) continue
    expect(withoutHash(request.filter)).toEqual(withoutHash(undefined))
    const { text } = recorderPayload('x', plan({ filter: request.filter }), 1)
    expect(others(text)).toEqual(others(base))
    expect(text.split('\n')).toContain(`CAPTURE_FILTER=${request.filter}`)
  }
})

it('a name in a path is one segment, which the server decodes to the name', () => {
  for (const { value } of hostile) {
    let path: string
    try {
      path = urlPath`/api/v1/namespaces/shop/pods/${value}/exec?x=1`
    } catch (error) {
      expect(error).toBeInstanceOf(TypeError)
      expect(['', '.', '..']).toContain(value)
      continue
    }
    const url = new URL(`https://k8s.example/base${path}`)
    expect(url.search).toBe('?x=1')
    const segments = url.pathname.split('/')
    expect(segments.length).toBe(9)
    expect(decodeURIComponent(segments[7] ?? '')).toBe(value.toWellFormed())
  }
})

it('a token is one header of visible characters, or is rejected without being shown', () => {
  for (const { value } of hostile) {
    try {
      expect(bearer(value, { input: 'token', subject: 'the given token' })).toMatch(/^Bearer [\x21-\x7e]+$/)
    } catch (error) {
      expect(error).toBeInstanceOf(ConfigurationError)
      if (value.trim().length > 8) expect((error as Error).message).not.toContain(value.trim())
    }
  }
})
