import { jest } from '@jest/globals'
import { ApiError, UnreachableError } from '../../../src/cluster/api.ts'
import { openRemoteCommand } from '../../../src/cluster/remote-command.ts'
import { ConfigurationError } from '../../../src/common/errors.ts'
import type { RemoteProcess, RemoteProcessHandlers } from '../../../src/common/remote-process.ts'
import { until } from '../../support/until.ts'
import { startServer, status, success, type ExecSession, type Server } from '../../support/api-server.ts'

let server: Server
beforeEach(async () => {
  server = await startServer()
})
afterEach(async () => {
  jest.useRealTimers()
  await server.stop()
})

const where = { namespace: 'shop', pod: 'web-1', container: 'packet-capture-x', command: ['sh', '-c', 'a b; c "$d"'] }

/** Opens a process and keeps its output. */
async function open(handlers: Partial<RemoteProcessHandlers> = {}): Promise<{
  process: RemoteProcess
  session: ExecSession
  stdout: () => string
  lines: string[]
}> {
  const chunks: Buffer[] = []
  const lines: string[] = []
  const process = await openRemoteCommand(server.connection, where, {
    stdout: (chunk) => {
      chunks.push(Buffer.from(chunk))
      return undefined
    },
    stderr: (line) => lines.push(line),
    ...handlers,
  })
  const session = await until('the server has a session', () => server.sessions.at(-1))
  return { process, session, stdout: () => Buffer.concat(chunks).toString('latin1'), lines }
}

describe('the upgrade to a WebSocket', () => {
  it('requests stdin, stdout and stderr of the given process and sends the credentials', async () => {
    const { process, session } = await open()
    expect(server.requests[0]?.path).toMatch(/^\/api\/v1\/namespaces\/shop\/pods\/web-1\/exec\?/)
    expect(Object.fromEntries(session.query)).toMatchObject({
      container: 'packet-capture-x',
      stdin: 'true',
      stdout: 'true',
      stderr: 'true',
    })
    expect(session.query.has('tty')).toBe(false)
    expect(session.command).toEqual(['sh', '-c', 'a b; c "$d"'])
    expect(server.requests[0]?.headers).toMatchObject({
      authorization: 'Bearer t0ken',
      'sec-websocket-protocol': 'v5.channel.k8s.io,v4.channel.k8s.io',
    })
    expect(server.requests[0]?.headers['sec-websocket-extensions']).toBeUndefined()
    process.close()
    await process.ended
  })

  it.each([
    ['v5.channel.k8s.io', ['v5.channel.k8s.io', 'v4.channel.k8s.io']],
    ['v4.channel.k8s.io', ['v4.channel.k8s.io']],
  ])('uses %s with a server that supports %j', async (protocol, protocols) => {
    server.protocols = protocols
    const { process } = await open()
    expect(process.protocol).toBe(protocol)
    process.close()
    await process.ended
  })

  it("rejects with the server's message when the server refuses the upgrade", async () => {
    server.refuse = () => ({
      status: 403,
      body: status('Forbidden', 'pods "web-1" is forbidden: cannot get resource "pods/exec"'),
    })
    const refused = open()
    await expect(refused).rejects.toThrow(ApiError)
    await expect(refused).rejects.toMatchObject({
      status: 403,
      reason: 'Forbidden',
      message: expect.stringContaining('pods/exec') as string,
    })
  })

  it('reports rejected credentials to their source, so that the next attempt uses new credentials', async () => {
    server.refuse = () => ({ status: 401, body: status('Unauthorized', 'Unauthorized') })
    let refused = 0
    const credentials = {
      ...{ headers: {}, tls: {}, agent: undefined, proxy: undefined },
      refused: () => void (refused += 1),
    }
    const connection = { ...server.connection, credentials: () => Promise.resolve(credentials) }
    const opened = openRemoteCommand(connection, where, { stdout: () => undefined, stderr: () => undefined })
    await expect(opened).rejects.toThrow(/rejects the credentials \(401/)
    expect(refused).toBe(1)
  })

  it('rejects an answer that is not from an API server', async () => {
    server.refuse = () => ({ status: 200, body: '<html>Sign in</html>' })
    await expect(open()).rejects.toThrow(/answered 200 without a JSON object \(<html>Sign in<\/html>\)/)
  })

  it('names the proxy when no proxy listens at its address', async () => {
    const credentials = {
      headers: {},
      tls: {},
      agent: undefined,
      proxy: { name: 'HTTPS_PROXY (http://p:3128)', isFromEnvironment: true },
    }
    const connection = {
      ...server.connection,
      server: 'http://127.0.0.1:1',
      credentials: () => Promise.resolve(credentials),
    }
    const opened = openRemoteCommand(connection, where, { stdout: () => undefined, stderr: () => undefined })
    await expect(opened).rejects.toThrow(/cannot be reached through the proxy HTTPS_PROXY \(http:\/\/p:3128\) /)
  })

  it('fails after 65 s when the credentials do not arrive', async () => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask', 'performance'] })
    const connection = { ...server.connection, credentials: () => new Promise<never>(() => undefined) }
    const opened = openRemoteCommand(connection, where, { stdout: () => undefined, stderr: () => undefined })
    const refused = expect(opened).rejects.toThrow(/no credentials for test\.example .* within 65 s/)
    jest.advanceTimersByTime(65_000)
    await refused
  })

  it('rejects with the message of a kubelet, which answers in plain text', async () => {
    server.refuse = () => ({ status: 500, body: 'container not found ("packet-capture-x")\n' })
    await expect(open()).rejects.toMatchObject({ status: 500, message: 'container not found ("packet-capture-x")' })
  })

  it('names an expired token as the cause of a 401', async () => {
    server.refuse = () => ({ status: 401, body: status('Unauthorized', 'Unauthorized') })
    const refused = open()
    await expect(refused).rejects.toThrow(ConfigurationError)
    await expect(refused).rejects.toThrow(/expired/)
  })

  it('rejects with UnreachableError when nothing listens at the address', async () => {
    const connection = { ...server.connection, server: 'http://127.0.0.1:1' }
    const handlers = { stdout: () => undefined, stderr: () => undefined }
    await expect(openRemoteCommand(connection, where, handlers)).rejects.toThrow(UnreachableError)
  })
})

describe('the streams', () => {
  it('deliver every byte of stdout from the first frame', async () => {
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, i) => i))
    server.exec = (session) => {
      session.stdout(bytes) // in the same packet as the answer to the upgrade
      session.stdout('')
      session.stdout(Buffer.concat([bytes, bytes]))
      session.end(success)
    }
    const { process, stdout } = await open()
    await expect(process.ended).resolves.toEqual({ code: 1000, reason: 'the server reports Success' })
    expect(stdout()).toBe(Buffer.concat([bytes, bytes, bytes]).toString('latin1'))
  })

  it('deliver stderr in whole lines even if frames split a line', async () => {
    server.exec = (session) => {
      for (const part of ['one\ntw', 'o', '\n', '\nthree\nlast']) session.stderr(part)
      session.end(success)
    }
    const { process, lines } = await open()
    await process.ended
    expect(lines).toEqual(['one', 'two', '', 'three', 'last'])
  })

  it('deliver a line without an end in parts, to limit the memory', async () => {
    server.exec = (session) => {
      for (let i = 0; i < 100; i += 1) session.stderr('x'.repeat(10_000))
      session.end(success)
    }
    const { process, lines } = await open()
    await process.ended
    expect(lines.join('')).toHaveLength(1_000_000)
    for (const line of lines) expect(line.length).toBeLessThan(100_000)
  })

  it('send lines to stdin while the connection is open, and return false afterwards', async () => {
    const { process, session } = await open()
    expect(process.send('ack 17')).toBe(true)
    expect(process.send('stop cancelled')).toBe(true)
    await until('two lines are there', () => session.stdin.length === 2)
    expect(session.stdin).toEqual(['ack 17', 'stop cancelled'])
    session.cut()
    await process.ended
    expect(process.send('done')).toBe(false)
  })
})

describe('the end', () => {
  it("has the server's reason when the process fails", async () => {
    server.exec = (session) => session.end({ status: 'Failure', message: 'command terminated with exit code 137' })
    const { process } = await open()
    await expect(process.ended).resolves.toEqual({ code: 1000, reason: 'command terminated with exit code 137' })
  })

  it('has the text of a status frame that is not a Status object', async () => {
    server.exec = (session) => {
      session.socket.send(Buffer.concat([Buffer.of(3), Buffer.from('plain text')]))
      session.socket.close(1011)
    }
    const { process } = await open()
    await expect(process.ended).resolves.toEqual({ code: 1011, reason: 'plain text' })
  })

  it('has code 1006 when the connection breaks', async () => {
    server.exec = (session) => session.cut()
    const { process } = await open()
    await expect(process.ended).resolves.toMatchObject({ code: 1006 })
  })

  it('names the client when close() ended the connection', async () => {
    const { process, session } = await open()
    process.close()
    await expect(process.ended).resolves.toMatchObject({ reason: 'closed by the client' })
    await until('the server sees it', () => session.socket.readyState === session.socket.CLOSED)
  })
})

describe('a slow stdout handler', () => {
  it('pauses the sender, and every byte arrives in order', async () => {
    const frames = 400
    const size = 64 * 1024
    server.exec = (session) => {
      for (let i = 0; i < frames; i += 1) session.stdout(Buffer.alloc(size, i % 251))
    }
    let received = 0
    let ordered = true
    let release: () => void = () => undefined
    const gate = new Promise<void>((resolve) => (release = resolve))
    const { process, session } = await open({
      stdout: (chunk) => {
        ordered &&= chunk[0] === Math.floor(received / size) % 251
        received += chunk.length
        return gate
      },
    })
    await until('the sender is stuck', () => {
      const before = session.socket.bufferedAmount
      return new Promise<boolean>((resolve) => {
        setTimeout(() => resolve(received > 0 && before > 0 && session.socket.bufferedAmount === before), 50)
      })
    })
    expect(received).toBeLessThan((frames * size) / 2)
    release()
    await until('everything is here', () => received === frames * size)
    expect(ordered).toBe(true)
    process.close()
    await process.ended
  })

  it('ends the connection with the reason of a handler that fails', async () => {
    server.exec = (session) => session.stdout('x')
    const { process } = await open({ stdout: () => Promise.reject(new Error('ENOSPC: no space left')) })
    await expect(process.ended).resolves.toMatchObject({ reason: 'ENOSPC: no space left' })
  })
})

describe('a connection without output', () => {
  beforeEach(() => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask', 'performance'] })
  })

  it('is pinged, and closed after 15 s even if TCP is alive', async () => {
    const { process, session } = await open()
    let pings = 0
    session.socket.on('ping', () => (pings += 1))
    jest.advanceTimersByTime(5_000)
    await until('a ping', () => pings === 1)
    jest.advanceTimersByTime(15_000)
    await expect(process.ended).resolves.toMatchObject({ code: 1006, reason: 'no output for 15 s' })
  })

  it('is closed after 15 s even if the server answers pings, because only output of the process counts', async () => {
    const { process, session } = await open()
    for (let i = 0; i < 5; i += 1) {
      const pong = new Promise((resolve) => session.socket.once('ping', resolve))
      jest.advanceTimersByTime(5_000)
      if (i < 3) await pong
    }
    await expect(process.ended).resolves.toMatchObject({ reason: 'no output for 15 s' })
  })

  it('is not closed when one line arrives every 10 s', async () => {
    const { process, session, lines } = await open()
    for (let i = 1; i <= 10; i += 1) {
      jest.advanceTimersByTime(10_000)
      session.stderr('beat 1\n')
      await until('the beat arrives', () => lines.length === i)
    }
    expect(process.send('ack 0')).toBe(true)
    process.close()
    await process.ended
  })

  it('is not closed while the stdout handler pauses the sender', async () => {
    let release: () => void = () => undefined
    let held = false
    const { process, session } = await open({
      stdout: () => {
        held = true
        return new Promise<void>((resolve) => (release = resolve))
      },
    })
    session.stdout('x')
    await until('the sender is held back', () => held)
    jest.advanceTimersByTime(120_000)
    expect(process.send('ack 0')).toBe(true)
    release()
    await new Promise(setImmediate)
    jest.advanceTimersByTime(5_000)
    expect(process.send('ack 1')).toBe(true)
    process.close()
    await process.ended
  })
})
