// Whole steps against hostile followers and broken files of the runner: neither main nor post ends with 0 without a result, or without an end.

import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { hostileFollowers, stream, trailerOf, type HostileFollower } from '../../support/hostile/followers.ts'
import { openStep, type Step, type StepResult } from '../../support/hostile/step.ts'

const root = join(import.meta.dirname, '../../..')
let step: Step
beforeEach(async () => {
  step = await openStep()
})
afterEach(() => step.stop())

const followerThat = (does: RegExp): HostileFollower => {
  const found = hostileFollowers.find((one) => does.test(one.does))
  if (found === undefined) throw new Error(`no follower ${String(does)}`)
  return found
}
const honest = followerThat(/claims a spool in memory/)
const trickle = followerThat(/one byte in 5 s without end/)

function expectReported({ exitCode, outputs, summary, log }: StepResult, verdict: string): void {
  expect(log).toContain(`is ${verdict}: `)
  expect(outputs).toMatchObject({ verdict, result: expect.stringContaining('"version":1') as string })
  expect(summary).toContain(`**${verdict}**`)
  expect(exitCode).toBe(0)
}

describe('main', () => {
  it.each([
    ['sends a trailer with began in the year', 'complete'],
    ['numbers of 400 digits', 'complete'],
    ['two sizes', 'partial'],
    ['sends packets without end', 'partial'],
    ['one byte in 5 s without end', 'partial'],
  ])(
    'reports its result when a follower lies: %s',
    async (does, verdict) => {
      const hostile = followerThat(new RegExp(does))
      step.server.exec = hostile.exec
      const inputs = { 'max-size': '1MB', 'spool-limit': '8MB' }
      expectReported(await step.run('main', inputs), verdict)
    },
    60_000,
  )

  it('fails, with a code of its own, when the outputs cannot be written, whatever the inputs say', async () => {
    step.server.exec = honest.exec
    step.breakFile('GITHUB_OUTPUT')
    const main = await step.run('main', { 'if-incomplete': 'ignore', 'if-empty': 'ignore' })
    expect(main.exitCode).toBe(1)
    expect(main.log).toContain('Error code: E_RESULT_NOT_REPORTED')
    expect(main.summary).toContain('**complete**')
  }, 60_000)

  it('fails, with a code of its own, when the summary cannot be written', async () => {
    step.server.exec = honest.exec
    step.breakFile('GITHUB_STEP_SUMMARY')
    const main = await step.run('main')
    expect(main.exitCode).toBe(1)
    expect(main.outputs).toMatchObject({ verdict: 'complete', 'error-code': 'E_RESULT_NOT_REPORTED' })
  }, 60_000)
})

describe('post, after a cancel in the middle of a capture', () => {
  const cancelMain = async (): Promise<StepResult> => {
    let isCancelled = false
    return step.run('main', { duration: '1h' }, (log, kill) => {
      if (isCancelled || !log.includes('Capturing pod')) return
      isCancelled = true
      kill('SIGINT')
    })
  }

  it('ends and reports when the follower trickles', async () => {
    step.server.exec = trickle.exec
    const main = await cancelMain()
    expect(main.log).toContain('Cancelled')
    expectReported(await step.run('post', { duration: '1h' }), 'partial')
  }, 60_000)

  it('reports when the trailer lies about its time', async () => {
    step.server.exec = trickle.exec
    await cancelMain()
    step.server.exec = (session) => {
      session.stdout(stream.subarray(Number(session.command[4])))
      const lines = trailerOf({ began: '99999999999999', reason: 'cancelled' }).map((line) => `trailer ${line}`)
      session.stderr([...lines, 'end', ''].join('\n'))
    }
    const post = await step.run('post', { duration: '1h' })
    expect(post.outputs['verdict']).toMatch(/^(complete|partial)$/)
    expect(post.summary).toContain('## ')
    expect(post.exitCode).toBe(0)
  }, 60_000)

  it('fails when the result can be reported by neither step', async () => {
    step.server.exec = trickle.exec
    await cancelMain()
    step.breakFile('GITHUB_STEP_SUMMARY')
    const post = await step.run('post', { duration: '1h' })
    expect(post.exitCode).toBe(1)
    expect(post.log).toContain('The result cannot be written for the runner')
  }, 60_000)
})

it.each(['{', '[]', '{"phase":"recording"}'])(
  'post fails when the state of main is damaged: %s',
  async (text) => {
    step.setState(text)
    const post = await step.run('post')
    expect(post.exitCode).toBe(1)
    expect(post.log).toContain('Error code: E_RESULT_NOT_REPORTED')
  },
  60_000,
)

it('post fails when it cannot read the state of a capture', async () => {
  const state = {
    phase: 'recording',
    folder: step.folder,
    captureIds: ['packet-capture-0a1b2c-3d4e5f60'],
    captureCount: 1,
  }
  step.setState(JSON.stringify(state))
  const post = await step.run('post')
  expect(post.exitCode).toBe(1)
  expect(post.log).toContain('Error code: E_RESULT_NOT_REPORTED')
}, 60_000)

it('post ends with 0 when main saved no state, or has reported its result', async () => {
  expect((await step.run('post')).exitCode).toBe(0)
  step.setState(JSON.stringify({ phase: 'done', folder: step.folder, captureIds: [], captureCount: 0 }))
  expect((await step.run('post')).exitCode).toBe(0)
}, 60_000)

describe('a process that has not reported its result', () => {
  const run = (after: string) => {
    const code = `import { failUnlessReported } from ${JSON.stringify(join(root, 'src/runner/exit.ts'))}
      const reported = failUnlessReported()
      ${after}`
    const argv = ['--no-warnings', '--input-type=module', '-e', code]
    const { status, stdout } = spawnSync(join(root, 'node_modules/.bin/node'), argv, { encoding: 'utf8' })
    return { status, stdout }
  }
  const error = '::error::The step ended before it reported its result.\n'

  it.each([
    ['has nothing left to do', 'await new Promise(() => {})'],
    ['exits', 'process.exit()'],
    ['returns', ''],
  ])('does not end with 0 when it %s', (_how, after) => {
    expect(run(after)).toEqual({ status: 1, stdout: error })
  })

  it('does not end with 0 when it throws', () => {
    expect(run('throw new Error("x")').status).not.toBe(0)
  })

  it('ends with 0 once it has, and with 1 where a failure was logged', () => {
    expect(run('reported()')).toEqual({ status: 0, stdout: '' })
    expect(run('process.exitCode = 1; reported()')).toEqual({ status: 1, stdout: '' })
  })
})
