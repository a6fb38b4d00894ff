// Nodes that lie over SSH, each against the code of the runner, by a clock that is fifty times as fast.

import { createServer, connect, type AddressInfo, type Server, type Socket } from 'node:net'
import ssh2 from 'ssh2'
import { chooseSpool, chooseTool } from '../../../src/capture/recorders/ssh/tool.ts'
import { probeNode } from '../../../src/capture/recorders/ssh/probe.ts'
import { recorderState, startRecorder } from '../../../src/capture/recorders/ssh/run-folder.ts'
import { ConfigurationError, messageOf } from '../../../src/common/errors.ts'
import { maxRunSeconds } from '../../../src/capture/plan.ts'
import { plain } from '../../../src/common/remote-text.ts'
import { generateLoginKey } from '../../../src/google/compute/login-key.ts'
import type { SshSession } from '../../../src/ssh/session.ts'
import { SshSession as Session } from '../../../src/ssh/session.ts'
import { useFastClock } from '../../support/fast-clock.ts'
import { hostileFacts, hostileSshds, hostileStates, type HostileSshd } from '../../support/hostile/nodes.ts'
import { plan, recordFor } from '../../support/target.ts'

useFastClock(50)

const hostKey = ssh2.utils.generateKeyPairSync('ed25519')
const login = generateLoginKey()
const text = 'The text of the caller.'
const fixes = {
  keyNotAccepted: text,
  keyNoLongerAccepted: text,
  hostKeyUnknown: text,
  hostKeyChanged: text,
  hostKeysUnsupported: text,
}
const advice = { input: 'machine', hostKeySource: 'the known hosts', fixes }

let listener: Server
let sockets: Set<Socket>
beforeEach(() => {
  sockets = new Set()
})
afterEach(() => {
  listener.close()
  for (const socket of sockets) socket.destroy()
})

/** @returns the port */
async function start({ serve, exec, refuses }: HostileSshd): Promise<number> {
  listener = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    if (serve) return serve(socket)
    const server = new ssh2.Server({ hostKeys: [hostKey.private] }, (client) => {
      client.on('error', () => undefined)
      client.on('authentication', (context) => context.accept())
      client.on('session', (accept) => {
        accept().on('exec', (acceptExec, reject) => {
          if (refuses) return reject()
          if (exec) exec(acceptExec())
        })
      })
    })
    server.injectSocket(socket)
  })
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve))
  return (listener.address() as AddressInfo).port
}

function session(port: number): SshSession {
  return new Session({
    connect: () =>
      new Promise((resolve, reject) => {
        const socket = connect(port, '127.0.0.1', () => resolve(socket))
        socket.once('error', reject)
        sockets.add(socket)
      }),
    user: 'octo',
    privateKey: login.privateKey,
    hostKeys: [],
    loginPatienceMs: 0,
    advice,
  })
}

const named = hostileSshds.map((one) => [one.does, one] as const)

it.each(named)('a node that %s does not hold or fill a command', async (_does, hostile) => {
  const node = session(await start(hostile))
  const startMs = Date.now()
  const beforeBytes = process.memoryUsage.rss()
  const error = await node.run(['true'], { timeoutMs: 10_000 }).then(
    () => undefined,
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(Error)
  expect(messageOf(error).length).toBeLessThan(2_000)
  expect(plain(messageOf(error))).not.toMatch(/^\s*::|##\[/m)
  expect((Date.now() - startMs) / 1_000).toBeLessThan(100)
  expect(process.memoryUsage.rss() - beforeBytes).toBeLessThan(300e6)
  node.close()
})

it.each(named)('a node that %s does not keep a follower that is closed', async (_does, hostile) => {
  const node = session(await start(hostile))
  const startMs = Date.now()
  const opened = await node.open(['sh'], { stdout: () => undefined, stderr: () => undefined }).catch(() => undefined)
  opened?.close()
  await opened?.ended
  expect((Date.now() - startMs) / 1_000).toBeLessThan(100)
  node.close()
})

const answering = (stdout: string): Pick<SshSession, 'run'> => ({
  run: () => Promise.resolve({ code: 0, stdout, stderr: stdout }),
})

it.each(hostileFacts)('a node that reports %s gives bounded facts, or an error that says so', async (_what, answer) => {
  listener = createServer()
  const facts = await probeNode(answering(answer)).catch((error: unknown) => error)
  if (facts instanceof Error) {
    expect(facts).toBeInstanceOf(ConfigurationError)
    expect(facts.message.length).toBeLessThan(1_000)
    return
  }
  const found = facts as Awaited<ReturnType<typeof probeNode>>
  expect(JSON.stringify(found).length).toBeLessThan(100_000)
  expect(JSON.stringify(found)).not.toMatch(/\\u001b|\\r|\u2028|\u202e/)
  for (const choose of [() => chooseTool(found), () => chooseSpool(found, 64e6)]) {
    try {
      expect(JSON.stringify(choose()).length).toBeLessThan(2_000)
    } catch (error) {
      expect(error).toBeInstanceOf(ConfigurationError)
      expect(messageOf(error).length).toBeLessThan(2_000)
    }
  }
})

it.each(hostileStates)('a node that answers %s about its recorder gives a bounded state', async (_what, answer) => {
  listener = createServer()
  const state = await recorderState(Promise.resolve(answering(answer) as SshSession), 'packet-capture-x')
  expect(['unknown', 'terminated', 'running', 'gone']).toContain(state.kind)
  expect(JSON.stringify(state).length).toBeLessThan(10_000)
})

it.each([0, 1, 999_999_999_999])(
  'the process on a node whose clock shows %d s ends at most 660 s after the capture needs it',
  async (nodeTimeSeconds) => {
    listener = createServer()
    const argvs: (readonly string[])[] = []
    const node = {
      run: (argv: readonly string[]) => {
        argvs.push(argv)
        return Promise.resolve({ code: 0, stdout: '', stderr: '' })
      },
    } as unknown as SshSession
    const limits = plan()
    const record = recordFor({ method: { kind: 'ssh', login: {}, whole: false }, plan: limits })
    await startRecorder(node, record, { folder: '/var/tmp/x.run', plan: limits, prefix: [], nodeTimeSeconds })
    const begun = argvs.at(-1) ?? []
    const maxSeconds = Number(begun[begun.indexOf('/var/tmp/x.run') + 1])
    expect(maxSeconds).toBeGreaterThanOrEqual(60 + 660)
    expect(maxSeconds).toBeLessThanOrEqual(maxRunSeconds(limits) + 660)
  },
)
