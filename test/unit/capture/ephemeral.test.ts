import type { CapturePlan } from '../../../src/capture/container.ts'
import { addContainer, ephemeralRecorder } from '../../../src/capture/ephemeral.ts'
import { recordOf, type CaptureRecord } from '../../../src/capture/record.ts'
import { NothingCreated } from '../../../src/capture/start.ts'
import { ConfigurationError } from '../../../src/errors.ts'
import { startServer, status, type Server } from '../cluster/server.ts'
import { plan, target } from './target.ts'

let server: Server
beforeEach(async () => {
  server = await startServer()
})
afterEach(async () => {
  await server.stop()
})

const recordFor = (changes: Partial<CapturePlan> = {}): CaptureRecord =>
  recordOf(target(), 'packet-capture-x', plan(changes), '/nowhere/x.pcap', Date.now())

async function refusal(dryRun: boolean, changes: Partial<CapturePlan> = {}): Promise<Error> {
  const error: unknown = await addContainer(server.connection, recordFor(changes), dryRun).catch(
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(ConfigurationError)
  return error as Error
}

describe('Pod Security: the fix is one that helps at the level that is violated', () => {
  const violated = (level: string): void => {
    const words = `pods "web-1" is forbidden: violates PodSecurity "${level}:latest": some reason`
    server.answer = () => ({ status: 403, body: status('Forbidden', words) })
  }

  it('restricted: baseline', async () => {
    violated('restricted')
    const { message } = await refusal(true)
    expect(message).toContain('enforce=baseline')
    expect(message).not.toContain('`capabilities`')
  })

  it('restricted, with capabilities: baseline would refuse those as well', async () => {
    violated('restricted')
    const { message } = await refusal(true, { capabilities: ['NET_RAW'] })
    expect(message).toMatch(
      /enforce=baseline on the namespace and leave the input `capabilities` empty, or,.*=privileged/,
    )
  })

  it('baseline, with capabilities: none of them, or privileged; the level is what it is already', async () => {
    violated('baseline')
    const { message } = await refusal(true, { capabilities: ['NET_RAW'] })
    expect(message).toMatch(/Leave the input `capabilities` empty.*enforce=privileged/)
    expect(message).not.toContain('enforce=baseline')
  })

  it('baseline, without any: it is not our container', async () => {
    violated('baseline')
    const { message } = await refusal(true)
    expect(message).toMatch(/it is the pod itself.*enforce=privileged/)
    expect(message).not.toMatch(/enforce=baseline|`capabilities`/)
  })
})

it('a webhook that takes no dry run leaves admission unknown, and is no reason not to begin', async () => {
  const words = 'admission webhook "policy.example" does not support dry run'
  server.answer = () => ({ status: 400, body: status('BadRequest', words) })
  await expect(ephemeralRecorder(server.connection, recordFor()).check()).resolves.toEqual([
    expect.stringMatching(/^Admission: not known before the start/),
  ])
  // The real request is answered as it is.
  expect((await refusal(false)).message).toContain(words)
})

it('a cluster without ephemeral containers is not a pod that went away', async () => {
  server.answer = () => ({
    status: 404,
    body: status('NotFound', 'the server could not find the requested resource'),
  })
  expect((await refusal(true)).message).toMatch(/^pod: the cluster has no ephemeral containers.*`level: node`/)
})

it('foreign words are one line: none of them looks like a command of ours', async () => {
  const words = 'admission webhook "x" denied the request:\nkubectl delete ns shop <<\'EOF\'\nEOF'
  server.answer = () => ({ status: 403, body: status('Forbidden', words) })
  expect((await refusal(true)).message).not.toContain('\n')
})

it('a server that is ill when the container is to be added leaves open whether it was, and shows no stack', async () => {
  server.answer = () => ({ status: 500, body: status('InternalError', 'etcd is away') })
  const error = await refusal(false)
  expect(error).not.toBeInstanceOf(NothingCreated)
  expect(error.message).toMatch(
    /^pod: the API server answered 500 \(etcd is away\).*not known.*ends by itself after 60 s/,
  )
})
