import type { Problem } from '../../../src/common/errors.ts'
import { failureMarkdown } from '../../../src/report/failure.ts'
import { preflightMarkdown } from '../../../src/report/preflight.ts'

const problem = (changes: Partial<Problem> = {}): Problem => ({
  ...{ code: 'E_INPUT_INVALID', input: 'pod', problem: '"A" is not valid', fix: 'Use a name.' },
  ...changes,
})
const variables = ['GITHUB_ACTION_REPOSITORY', 'GITHUB_ACTION_REF'] as const
const saved = variables.map((name) => [name, process.env[name]] as const)
beforeEach(() => {
  for (const name of variables) delete process.env[name]
})
afterEach(() => {
  for (const [name, value] of saved) {
    if (value === undefined) delete process.env[name]
    else process.env[name] = value
  }
})

describe('the summary of a failure', () => {
  it('has a heading with the created resources, and one item with a code for each problem', () => {
    const markdown = failureMarkdown([problem(), problem({ input: 'level' })], { stage: 'inputs', leftovers: [] })
    expect(markdown.split('\n')).toEqual([
      ...['## ❌ Not ready to capture', '', '2 inputs are invalid. No resources were created.', ''],
      '- **pod**: &#34;A&#34; is not valid. Use a name. See <code>docs/troubleshooting.md&#35;e&#95;input&#95;invalid</code>.',
      '- **level**: &#34;A&#34; is not valid. Use a name. See <code>docs/troubleshooting.md&#35;e&#95;input&#95;invalid</code>.',
      '',
      '',
    ])
  })

  it('links the documents at the running version', () => {
    Object.assign(process.env, { GITHUB_ACTION_REPOSITORY: 'octo-org/capture', GITHUB_ACTION_REF: 'v1' })
    const markdown = failureMarkdown([problem({ docs: 'docs/access.md#oidc' })])
    expect(markdown).toContain('## ❌ Capture failed')
    expect(markdown).toContain(
      'See [docs/access.md&#35;oidc](https://github.com/octo-org/capture/blob/v1/docs/access.md#oidc) and ' +
        '[E&#95;INPUT&#95;INVALID](https://github.com/octo-org/capture/blob/v1/docs/troubleshooting.md#e_input_invalid).',
    )
  })

  it('shows the details as a list and the command as a code block', () => {
    const command = "kubectl apply -f - <<'EOF'\nrules:\n  - {}\nEOF"
    const markdown = failureMarkdown([problem({ details: ['get pods', 'list pods'], command })])
    const item = markdown.slice(markdown.indexOf('- **pod**'))
    expect(item).toMatch(/^- \*\*pod\*\*: &#34;A&#34; is not valid:\n {2}\n {2}- get pods\n {2}- list pods\n/)
    expect(item).toContain(`  \`\`\`sh\n${command.replace(/^/gm, '  ')}\n  \`\`\``)
  })

  it('escapes every part', () => {
    const evil = '<img src=x> | `x` [a](https://evil.example)\n# h'
    const hostile = { input: evil, problem: evil, details: [evil], fix: evil, docs: evil }
    const markdown = failureMarkdown([problem(hostile)], { leftovers: [evil] })
    expect(markdown).not.toContain('<img')
    expect(markdown).not.toContain('https://evil')
    expect(markdown.match(/^ *#+ /gm)).toEqual(['## '])
  })
})

it('the summary with preflight: only lists the findings and the hints', () => {
  const markdown = preflightMarkdown(['Identity: <b>dev</b>', 'Rights in shop: all 5'], ['The pod has a sidecar'])
  expect(markdown).toContain('## ✅ Ready to capture')
  expect(markdown).toContain('- Rights in shop: all 5')
  expect(markdown).toContain('> [!TIP]\n> The pod has a sidecar')
  expect(markdown).not.toContain('<b>dev')
})
