import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseAssignments } from './file-commands.ts'
import { signal } from './processes.ts'
import { createRunner, type Runner, type RunnerOptions } from './runner.ts'
import { graceMs } from './step-process.ts'

let temp: string
let runner: Runner

const open = (options: Partial<RunnerOptions> = {}): Runner =>
  createRunner({
    actionPath: join(import.meta.dirname, 'fixture'),
    temp,
    env: { ACTIONS_RUNTIME_TOKEN: 'a.b.c' },
    ...options,
  })
beforeEach(() => {
  temp = mkdtempSync(join(tmpdir(), 'runner-'))
  runner = open()
})

afterEach(() => {
  for (const pid of runner.orphans()) signal(pid, 'SIGKILL')
  rmSync(temp, { recursive: true })
})

const start = (scenario: string): ReturnType<Runner['start']> => runner.start('main', { with: { scenario } })

describe('the environment of a step', () => {
  it('has the inputs and their defaults under the names that the runner uses, and no variables of the caller', async () => {
    process.env.SECRET_OF_THE_CALLER = 'x'
    const { stdout, exitCode } = await start('environment').done
    delete process.env.SECRET_OF_THE_CALLER

    expect(exitCode).toBe(0)
    const { env, cwd } = JSON.parse(stdout) as { env: Record<string, string>; cwd: string }
    expect(env).toMatchObject({
      INPUT_SCENARIO: 'environment',
      'INPUT_SOME_INPUT-NAME': '7',
      INPUT_EMPTY: '',
      CI: 'true',
      GITHUB_ACTIONS: 'true',
      RUNNER_TEMP: join(temp, 'work/_temp'),
    })
    expect(env).not.toHaveProperty('SECRET_OF_THE_CALLER')
    expect(env).not.toHaveProperty('GITHUB_SERVER_URL')
    expect(env.NODE_OPTIONS).toBeUndefined()
    expect(env.PATH).not.toContain('node_modules')
    expect(cwd).toBe(env.GITHUB_WORKSPACE)
  })

  it('gets a warning for an input that the action does not have', async () => {
    const { annotations } = await runner.start('main', { with: { scenario: 'environment', namspace: 'shop' } }).done
    expect(annotations).toEqual([
      {
        level: 'warning',
        message: `Unexpected input(s) 'namspace', valid inputs are ['scenario', 'Some Input-name', 'empty']`,
        properties: {},
      },
    ])
  })
})

describe('the output of a step', () => {
  it('is read from the files and the log', async () => {
    const result = await start('commands').done

    expect(result.exitCode).toBe(1)
    expect(result.outputs).toEqual({ lines: 'one\ntwo=2\nthree<<four', json: '{"a":1}' })
    expect(result.env).toEqual({ EXPORTED: 'yes' })
    expect(result.path).toEqual(['/opt/tool/bin'])
    expect(result.state).toEqual({ 'main-ran': 'true', token: 'kept hunter2' })
    expect(result.summary).toBe('# The password is ***\n')
    expect(result.groups).toEqual(['Phase one'])
    expect(result.annotations).toEqual([
      { level: 'warning', message: 'look: 100%\nhere', properties: { title: 'a, b' } },
      { level: 'warning', message: 'anywhere', properties: {} },
      { level: 'error', message: 'it failed', properties: {} },
    ])
  })

  it('is read from stderr, too', async () => {
    const { notices } = await start('stderr').done
    expect(notices).toEqual([{ level: 'notice', message: 'from stderr', properties: {} }])
  })

  it('is masked, and shows workflow commands in untrusted text as text', async () => {
    const { log, stdout } = await start('commands').done

    expect(stdout).toContain('hunter2')
    expect(log).not.toContain('hunter2')
    expect(log).toContain('  the password is ***')
    expect(log).toContain('::error::from a packet')
    expect(log).toContain('::unknown::shown')
    expect(log).not.toContain('unseen')
    expect(log).toContain('no newline at the end')
  })

  it('is rejected when the runner rejects it', async () => {
    const malformed = await start('malformed').done
    expect(malformed.outputs).toEqual({})
    expect(malformed.annotations[0]?.message).toMatch(/'output'.*Matching delimiter not found 'EOF'/)

    const long = await start('long').done
    expect(long.summary).toBe('')
    expect(long.notices).toHaveLength(10)
    expect(long.annotations.filter((one) => one.level === 'error')[0]?.message).toMatch(/upload aborted.*1024k/)
  })
})

describe('the post step', () => {
  it('gets the state and the inputs of main', async () => {
    const { main, post } = await runner.run({ with: { scenario: 'commands' } })
    expect(main.exitCode).toBe(1)
    expect(JSON.parse(post.stdout)).toEqual({
      scenario: 'commands',
      state: { 'STATE_main-ran': 'true', STATE_token: 'kept hunter2' },
    })
  })

  it('gets the state that was saved before a SIGKILL', async () => {
    const main = start('waiting')
    await main.waitForLog(/ready/, 5000)
    main.kill('SIGKILL')
    expect(await main.done).toMatchObject({ exitCode: null, signal: 'SIGKILL' })
    expect((await runner.start('post').done).stdout).toContain('"STATE_before":"yes"')
  })
})

describe('cancel', () => {
  it('sends only SIGINT to a process that ends', async () => {
    const main = start('waiting')
    await main.waitForLog(/ready/, 5000)
    main.cancel()
    const result = await main.done
    expect(result).toMatchObject({ exitCode: 0, state: { before: 'yes', stopped: 'by SIGINT' } })
    expect(result.log).toContain('interrupted')
    expect(result.endedAfterLastLineMs).toBeLessThan(1000)
  })

  it("waits as long as GitHub's runner between the signals: 7.5 s and 2.5 s", () => {
    expect(graceMs).toEqual({ interrupt: 7_500, terminate: 2_500 })
  })

  it('ends a process that ignores the signals, and its children, after both waits', async () => {
    runner = open({ graceMs: { interrupt: 750, terminate: 250 } })
    const main = start('stubborn')
    await main.waitForLog(/ready \d+/, 5000)
    const begin = performance.now()
    main.cancel()
    const result = await main.done
    const took = performance.now() - begin
    expect(result).toMatchObject({ exitCode: null, signal: 'SIGKILL' })
    expect(result.stdout).toMatch(/SIGINT ignored\nSIGTERM ignored/)
    expect(took).toBeGreaterThan(990)
    expect(took).toBeLessThan(5_000)
    expect(runner.orphans()).toEqual([])
  })

  it('does not stop a detached process, but can find it', async () => {
    await start('orphan').done
    expect(runner.orphans()).toHaveLength(1)
  })
})

describe('waitForLog', () => {
  it('fails with the log when the process ends first', async () => {
    const main = start('commands')
    await expect(main.waitForLog(/never/, 5000)).rejects.toThrow(/the process ended.*it failed/s)
  })
})

describe('the files of a step', () => {
  it.each([
    ['a=1\nb=x=y\n', { a: '1', b: 'x=y' }],
    ['a=b<<c\n', { a: 'b<<c' }],
    ['a<<E\n1\n\n2\nE\nb=\n', { a: '1\n\n2', b: '' }],
    ['a<<E\r\n1\r\nE\r\n', { a: '1' }],
    ['a<<E\nE\n', { a: '' }],
  ])('reads %j', (text, expected) => {
    expect(parseAssignments(text)).toEqual(expected)
  })

  it.each(['=x', 'word', '<<E\nE', 'a<<E\n1'])('rejects %j', (text) => {
    expect(() => parseAssignments(text)).toThrow(/Invalid/)
  })
})
