import { jest } from '@jest/globals'
import { RemoteOutput, type OutputTransport, type RemoteProcessHandlers } from '../../../src/common/remote-process.ts'

/** Output whose transport records its calls. */
function output(handlers: Partial<RemoteProcessHandlers> = {}): {
  output: RemoteOutput
  calls: string[]
  lines: string[]
} {
  const calls: string[] = []
  const lines: string[] = []
  const transport: OutputTransport = {
    pause: () => void calls.push('pause'),
    resume: () => void calls.push('resume'),
    fail: (reason) => void calls.push(`fail: ${reason}`),
    ping: () => void calls.push('ping'),
  }
  const all = { stdout: () => undefined, stderr: (line: string) => void lines.push(line), ...handlers }
  return { output: new RemoteOutput(all, transport), calls, lines }
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

describe('RemoteOutput', () => {
  beforeEach(() => void jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask'] }))
  afterEach(() => void jest.useRealTimers())

  it('resumes the transport when the last pending promise of the stdout handler is fulfilled', async () => {
    const releases: (() => void)[] = []
    const { output: held, calls } = output({ stdout: () => new Promise((resolve) => releases.push(resolve)) })
    held.takeStdout(Buffer.from('a'))
    held.takeStdout(Buffer.from('b'))
    releases[0]?.()
    await settled()
    expect(calls).toEqual(['pause', 'pause'])
    expect(held.isHeld).toBe(true)
    releases[1]?.()
    await settled()
    expect(calls).toEqual(['pause', 'pause', 'resume'])
    expect(held.isHeld).toBe(false)
  })

  it('fails the transport with the reason of a stdout handler that rejects', async () => {
    const { output: failing, calls } = output({ stdout: () => Promise.reject(new Error('disk full')) })
    failing.takeStdout(Buffer.from('a'))
    await settled()
    expect(calls).toEqual(['pause', 'fail: disk full', 'resume'])
  })

  it('pings every 5 s, and fails the transport after more than 15 s without output', () => {
    const { output: silent, calls } = output()
    silent.watch()
    jest.advanceTimersByTime(20_000)
    expect(calls).toEqual(['ping', 'ping', 'ping', 'fail: no output for 15 s'])
    silent.end()
  })

  it('does not count time after output and time in which the sender is paused as time without output', async () => {
    let release: () => void = () => undefined
    const { output: busy, calls } = output({ stdout: () => new Promise((resolve) => (release = resolve)) })
    busy.watch()
    jest.advanceTimersByTime(14_000)
    busy.takeStderr(Buffer.from('beat\n'))
    jest.advanceTimersByTime(14_000)
    busy.takeStdout(Buffer.from('a'))
    jest.advanceTimersByTime(60_000)
    release()
    await settled()
    jest.advanceTimersByTime(10_000)
    expect(calls.filter((call) => call.startsWith('fail'))).toEqual([])
    busy.end()
  })

  it('delivers the last line when it has no line break', () => {
    const { output: ended, lines } = output()
    ended.takeStderr(Buffer.from('one\ntw'))
    ended.takeStderr(Buffer.from('o'))
    expect(lines).toEqual(['one'])
    ended.end()
    expect(lines).toEqual(['one', 'two'])
  })
})
