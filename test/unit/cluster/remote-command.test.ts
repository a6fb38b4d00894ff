import { jest } from '@jest/globals'
import { ApiError, UnreachableError } from '../../../src/cluster/api.ts'
import { openRemoteCommand, type RemoteCommand, type RemoteHandlers } from '../../../src/cluster/remote-command.ts'
import { ConfigurationError } from '../../../src/errors.ts'
import { until } from '../until.ts'
import { startServer, status, success, type ExecSession, type Server } from './server.ts'

let server: Server
beforeEach(async () => {
  server = await startServer()
})
afterEach(async () => {
  jest.useRealTimers()
  await server.stop()
})

const where = { namespace: 'shop', pod: 'web-1', container: 'packet-capture-x', command: ['sh', '-c', 'a b; c "$d"'] }

/** Opens a process and keeps what it says. */
async function open(handlers: Partial<RemoteHandlers> = {}): Promise<{
  command: RemoteCommand
  session: ExecSession
  stdout: () => string
  lines: string[]
}> {
  const chunks: Buffer[] = []
  const lines: string[] = []
  const command = await openRemoteCommand(server.connection, where, {
    stdout: (chunk) => {
      chunks.push(Buffer.from(chunk))
      return undefined
    },
    stderr: (line) => lines.push(line),
    ...handlers,
  })
  const session = await until('the server has a session', () => server.sessions.at(-1))
  return { command, session, stdout: () => Buffer.concat(chunks).toString('latin1'), lines }
}

describe('the upgrade', () => {
  it('asks for stdin, stdout and stderr of the right process, with credentials', async () => {
    const { command, session } = await open()
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
    command.close()
    await command.ended
  })

  it.each([
    ['v5.channel.k8s.io', ['v5.channel.k8s.io', 'v4.channel.k8s.io']],
    ['v4.channel.k8s.io', ['v4.channel.k8s.io']],
  ])('speaks %s with a server that has %j', async (protocol, protocols) => {
    server.protocols = protocols
    const { command } = await open()
    expect(command.protocol).toBe(protocol)
    command.close()
    await command.ended
  })

  it("that is refused has the server's words", async () => {
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

  it('that is refused for its credentials tells their source, so that the next come anew', async () => {
    server.refuse = () => ({ status: 401, body: status('Unauthorized', 'Unauthorized') })
    let refused = 0
    const credentials = {
      ...{ headers: {}, tls: {}, agent: undefined, proxy: undefined },
      refused: () => void (refused += 1),
    }
    const connection = { ...server.connection, credentials: () => Promise.resolve(credentials) }
    const opened = openRemoteCommand(connection, where, { stdout: () => undefined, stderr: () => undefined })
    await expect(opened).rejects.toThrow(/does not accept the credentials \(401/)
    expect(refused).toBe(1)
  })

  it('that is answered by something else says so', async () => {
    server.refuse = () => ({ status: 200, body: '<html>Sign in</html>' })
    await expect(open()).rejects.toThrow(/answered 200 without a JSON object \(<html>Sign in<\/html>\)/)
  })

  it('through a proxy that nobody runs names the proxy', async () => {
    const credentials = { headers: {}, tls: {}, agent: undefined, proxy: 'HTTPS_PROXY (http://p:3128)' }
    const connection = {
      ...server.connection,
      server: 'http://127.0.0.1:1',
      credentials: () => Promise.resolve(credentials),
    }
    const opened = openRemoteCommand(connection, where, { stdout: () => undefined, stderr: () => undefined })
    await expect(opened).rejects.toThrow(/cannot be reached through the proxy HTTPS_PROXY \(http:\/\/p:3128\) /)
  })

  it('whose credentials hang is given up after their time', async () => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask', 'performance'] })
    const connection = { ...server.connection, credentials: () => new Promise<never>(() => undefined) }
    const opened = openRemoteCommand(connection, where, { stdout: () => undefined, stderr: () => undefined })
    const refused = expect(opened).rejects.toThrow(/no credentials for test\.example .* within 65 s/)
    jest.advanceTimersByTime(65_000)
    await refused
  })

  it('that is refused in plain text, as a kubelet does it, has them too', async () => {
    server.refuse = () => ({ status: 500, body: 'container not found ("packet-capture-x")\n' })
    await expect(open()).rejects.toMatchObject({ status: 500, message: 'container not found ("packet-capture-x")' })
  })

  it('with a token that has expired says so', async () => {
    server.refuse = () => ({ status: 401, body: status('Unauthorized', 'Unauthorized') })
    const refused = open()
    await expect(refused).rejects.toThrow(ConfigurationError)
    await expect(refused).rejects.toThrow(/expired/)
  })

  it('that nobody answers because nothing listens', async () => {
    const connection = { ...server.connection, server: 'http://127.0.0.1:1' }
    const handlers = { stdout: () => undefined, stderr: () => undefined }
    await expect(openRemoteCommand(connection, where, handlers)).rejects.toThrow(UnreachableError)
  })
})

describe('the streams', () => {
  it('stdout arrives byte for byte, from the first frame on', async () => {
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, i) => i))
    server.exec = (session) => {
      session.stdout(bytes) // in the same breath as the upgrade
      session.stdout('')
      session.stdout(Buffer.concat([bytes, bytes]))
      session.end(success)
    }
    const { command, stdout } = await open()
    await expect(command.ended).resolves.toEqual({ code: 1000, reason: 'the server says Success' })
    expect(stdout()).toBe(Buffer.concat([bytes, bytes, bytes]).toString('latin1'))
  })

  it('stderr comes in whole lines, however it was cut', async () => {
    server.exec = (session) => {
      for (const part of ['one\ntw', 'o', '\n', '\nthree\nlast']) session.stderr(part)
      session.end(success)
    }
    const { command, lines } = await open()
    await command.ended
    expect(lines).toEqual(['one', 'two', '', 'three', 'last'])
  })

  it('a line without an end does not fill the memory', async () => {
    server.exec = (session) => {
      for (let i = 0; i < 100; i += 1) session.stderr('x'.repeat(10_000))
      session.end(success)
    }
    const { command, lines } = await open()
    await command.ended
    expect(lines.join('')).toHaveLength(1_000_000)
    for (const line of lines) expect(line.length).toBeLessThan(100_000)
  })

  it('stdin takes lines while the connection is open, and says when it is not', async () => {
    const { command, session } = await open()
    expect(command.send('ack 17')).toBe(true)
    expect(command.send('stop cancelled')).toBe(true)
    await until('two lines are there', () => session.stdin.length === 2)
    expect(session.stdin).toEqual(['ack 17', 'stop cancelled'])
    session.cut()
    await command.ended
    expect(command.send('done')).toBe(false)
  })
})

describe('the end', () => {
  it("tells the server's reason for a failure", async () => {
    server.exec = (session) => session.end({ status: 'Failure', message: 'command terminated with exit code 137' })
    const { command } = await open()
    await expect(command.ended).resolves.toEqual({ code: 1000, reason: 'command terminated with exit code 137' })
  })

  it('tells words that are no Status as they are', async () => {
    server.exec = (session) => {
      session.socket.send(Buffer.concat([Buffer.of(3), Buffer.from('out of words')]))
      session.socket.close(1011)
    }
    const { command } = await open()
    await expect(command.ended).resolves.toEqual({ code: 1011, reason: 'out of words' })
  })

  it('by a cut has the code of a cut', async () => {
    server.exec = (session) => session.cut()
    const { command } = await open()
    await expect(command.ended).resolves.toMatchObject({ code: 1006 })
  })

  it('by us is said to be by us', async () => {
    const { command, session } = await open()
    command.close()
    await expect(command.ended).resolves.toMatchObject({ reason: 'closed by us' })
    await until('the server sees it', () => session.socket.readyState === session.socket.CLOSED)
  })
})

describe('a slow sink', () => {
  it('holds the sender back, and nothing is lost or out of order', async () => {
    const frames = 400
    const size = 64 * 1024
    server.exec = (session) => {
      for (let i = 0; i < frames; i += 1) session.stdout(Buffer.alloc(size, i % 251))
    }
    let received = 0
    let ordered = true
    let release: () => void = () => undefined
    const gate = new Promise<void>((resolve) => (release = resolve))
    const { command, session } = await open({
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
    command.close()
    await command.ended
  })

  it('that breaks ends the connection, with its reason', async () => {
    server.exec = (session) => session.stdout('x')
    const { command } = await open({ stdout: () => Promise.reject(new Error('ENOSPC: no space left')) })
    await expect(command.ended).resolves.toMatchObject({ reason: 'ENOSPC: no space left' })
  })
})

describe('a connection that nobody speaks on', () => {
  beforeEach(() => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask', 'performance'] })
  })

  it('is pinged, and given up after 15 s though TCP holds', async () => {
    const { command, session } = await open()
    let pings = 0
    session.socket.on('ping', () => (pings += 1))
    jest.advanceTimersByTime(5_000)
    await until('a ping', () => pings === 1)
    jest.advanceTimersByTime(15_000)
    await expect(command.ended).resolves.toMatchObject({ code: 1006, reason: 'no sign of life for 15 s' })
  })

  it('a pong alone is no life: only the process itself can say that it is well', async () => {
    const { command, session } = await open()
    for (let i = 0; i < 5; i += 1) {
      const pong = new Promise((resolve) => session.socket.once('ping', resolve))
      jest.advanceTimersByTime(5_000)
      if (i < 3) await pong
    }
    await expect(command.ended).resolves.toMatchObject({ reason: 'no sign of life for 15 s' })
  })

  it('lives on with one line in between', async () => {
    const { command, session, lines } = await open()
    for (let i = 1; i <= 10; i += 1) {
      jest.advanceTimersByTime(10_000)
      session.stderr('beat 1\n')
      await until('the beat arrives', () => lines.length === i)
    }
    expect(command.send('ack 0')).toBe(true)
    command.close()
    await command.ended
  })

  it('is not given up while we hold the sender back ourselves', async () => {
    let release: () => void = () => undefined
    let held = false
    const { command, session } = await open({
      stdout: () => {
        held = true
        return new Promise<void>((resolve) => (release = resolve))
      },
    })
    session.stdout('x')
    await until('we hold', () => held)
    jest.advanceTimersByTime(120_000)
    expect(command.send('ack 0')).toBe(true)
    release()
    await new Promise(setImmediate)
    jest.advanceTimersByTime(5_000)
    expect(command.send('ack 1')).toBe(true)
    command.close()
    await command.ended
  })
})
