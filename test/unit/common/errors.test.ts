import {
  ConfigurationError,
  messageOf,
  renderCause,
  renderFailure,
  renderProblem,
  type Problem,
} from '../../../src/common/errors.ts'

const problem = (changes: Partial<Problem> = {}): Problem => ({
  ...{ code: 'E_INPUT_INVALID', input: 'pod', problem: 'there is no pod "a"', fix: 'Name another.' },
  ...changes,
})
const command = "kubectl apply -f - <<'EOF'\nrules:\n  - {}\nEOF"

describe('the text of a problem', () => {
  it('is one line with input, problem, fix and document', () => {
    expect(renderProblem(problem())).toBe('pod: there is no pod "a". Name another.')
    expect(renderProblem(problem({ docs: 'docs/access.md#oidc' }))).toBe(
      'pod: there is no pod "a". Name another. See docs/access.md#oidc.',
    )
  })

  it('has its details on separate lines', () => {
    expect(
      renderProblem(problem({ problem: 'rights are missing', details: ['get pods', 'list pods'] })).split('\n'),
    ).toEqual([...['pod: rights are missing:', '    get pods', '    list pods', '  Name another.']])
  })

  it('does not indent the lines of a command, so that a here-document ends', () => {
    const text = renderProblem(problem({ details: ['get pods'], fix: 'Run:', command, docs: 'docs/rbac.md' }))
    expect(text.split('\n')).toEqual([
      ...['pod: there is no pod "a":', '    get pods', '  Run:', ...command.split('\n'), 'See docs/rbac.md.'],
    ])
  })
})

describe('the text of a failure', () => {
  it('reports the created resources once', () => {
    expect(renderFailure([problem()])).toBe('pod: there is no pod "a". Name another.')
    expect(renderFailure([problem()], { leftovers: [] })).toBe(
      'pod: there is no pod "a". Name another. No resources were created.',
    )
    expect(renderFailure([problem()], { leftovers: ['the Job a', 'a key'] })).toMatch(
      / Not removed: the Job a; a key\.$/,
    )
    expect(renderFailure([problem({ command })], { leftovers: [] })).toMatch(/\nEOF\nNo resources were created\.$/)
  })

  it.each([
    ['inputs', '2 inputs are invalid.'],
    ['preflight', 'Preflight failed with 2 problems.'],
    [undefined, 'The run failed with 2 problems.'],
  ] as const)('of stage %s has the heading "%s" above several problems', (stage, heading) => {
    const both = [problem(), problem({ input: 'level', command })]
    expect(renderFailure(both, { stage, leftovers: [] }).split('\n')).toEqual([
      ...[`${heading} No resources were created.`, '- pod: there is no pod "a". Name another.'],
      ...['- level: there is no pod "a". Name another.', ...command.split('\n')],
    ])
  })
})

it('a ConfigurationError contains its problems, its stage and its cause', () => {
  const cause = new Error('404')
  const error = new ConfigurationError([problem(), problem({ code: 'E_INPUT_CONFLICT' })], {
    stage: 'preflight',
    leftovers: [],
    cause,
  })
  expect(error.problems.map(({ code }) => code)).toEqual(['E_INPUT_INVALID', 'E_INPUT_CONFLICT'])
  expect(error).toMatchObject({ stage: 'preflight', leftovers: [], cause })
  expect(new ConfigurationError(problem()).problems).toHaveLength(1)
  expect(() => new ConfigurationError([])).toThrow(TypeError)
})

it('returns the message of any thrown value without a class name', () => {
  expect(messageOf(new Error('the disk is full'))).toBe('the disk is full')
  expect(messageOf(new ConfigurationError(problem()))).toBe('pod: there is no pod "a". Name another.')
  expect(messageOf('just text')).toBe('just text')
  expect(messageOf(undefined)).toBe('undefined')
  expect(messageOf(new TypeError())).toBe('TypeError')
})

it('returns the message of the first of several errors, as Node reports them for a name with several addresses', () => {
  const both = new AggregateError([new Error('connect ECONNREFUSED ::1:6443'), new Error('other')], '')
  expect(messageOf(both)).toBe('connect ECONNREFUSED ::1:6443')
  expect(messageOf(new AggregateError([], 'none'))).toBe('none')
})

it('keeps a problem on its lines, whatever a name in it has', () => {
  const hostile = 'node-1\n\nThe capture is complete.'
  const hostileProblem = {
    code: 'E_INPUT_INVALID' as const,
    ...{ input: `node ${hostile}`, problem: `there is no node ${hostile}`, fix: `See ${hostile}` },
    details: [`on ${hostile}`],
  } as const
  expect(renderProblem(hostileProblem).split('\n')).toHaveLength(3)
  expect(renderProblem(hostileProblem)).not.toMatch(/^The capture/m)
})

describe('the message of a server or program', () => {
  const quoting = (message: string, details?: readonly string[]): string =>
    renderCause(problem({ problem: 'it failed', message, ...(details && { details }) }))

  it('follows the problem after a colon, and keeps its own full stop', () => {
    expect(quoting('no space left')).toBe('it failed: no space left.')
    expect(quoting('No space left.')).toBe('it failed: No space left.')
    expect(quoting('no space left', ['on /var'])).toBe('it failed: no space left:')
  })
})
