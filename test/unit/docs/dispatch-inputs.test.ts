import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { load } from 'js-yaml'

const root = join(import.meta.dirname, '../../..')
const read = (path: string): string => readFileSync(join(root, path), 'utf8')

/** Inputs that choose a program, an image, a server that gets credentials, or an identity: docs/security.md. */
const forbidden = [
  ...['kubeconfig', 'image', 'toolbox-image', 'api-server', 'certificate-authority', 'token', 'exec-env', 'cluster'],
  ...['workload-identity-provider', 'service-account', 'endpoint', 'context'],
]

interface Workflow {
  readonly jobs?: Record<string, { readonly steps?: readonly { uses?: string; with?: Record<string, unknown> }[] }>
}

const examples = readdirSync(join(root, 'docs/examples')).map((name) => [`docs/examples/${name}`] as const)
const documents = [
  'README.md',
  ...readdirSync(join(root, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
]
const blocks = documents.flatMap((path) =>
  [...read(path).matchAll(/^```yaml\n([^]*?)^```$/gm)].map(
    ([, text = ''], i) => [`${path}, block ${String(i + 1)}`, text] as const,
  ),
)
const workflows = [...examples.map(([path]) => [path, read(path)] as const), ...blocks]

/** The steps with this action, in a workflow or in a part of one. */
function stepsOf(text: string): readonly Record<string, unknown>[] {
  const value = load(text) as Workflow | readonly { uses?: string; with?: Record<string, unknown> }[] | null
  const steps = Array.isArray(value)
    ? value
    : Object.values((value as Workflow | null)?.jobs ?? {}).flatMap((job) => job.steps ?? [])
  return (steps as readonly { uses?: string; with?: Record<string, unknown> }[])
    .filter(({ uses }) => uses?.includes('/kubernetes-packet-capture@'))
    .map((step) => step.with ?? {})
}

it('there are examples to check', () => {
  expect(workflows.flatMap(([, text]) => stepsOf(text)).length).toBeGreaterThanOrEqual(10)
})

it.each(workflows)('%s passes no text of a form to an input that leads to code or credentials', (_path, text) => {
  for (const inputs of stepsOf(text)) {
    for (const name of forbidden) {
      expect(`${name}: ${JSON.stringify(inputs[name] ?? '')}`).not.toMatch(
        /\binputs\.|github\.(event|head_ref|ref_name)/,
      )
    }
  }
})

it.each(['README.md', 'docs/access.md', 'docs/security.md'])(
  '%s names the inputs that must never come from a form',
  (path) => {
    const text = read(path)
    expect(text).toMatch(/must never come from a form|Never pass a value of a form/)
    for (const name of ['kubeconfig', 'image', 'api-server', 'token']) expect(text).toContain(`\`${name}\``)
  },
)

it('each test that the table of threats names exists', () => {
  const [, table = ''] = read('docs/security.md').split('## Threats')
  const names = [...table.matchAll(/`((?:unit|integration|sandbox|e2e|runner)\/[\w/-]+)`/g)].map(
    ([, name = '']) => name,
  )
  expect(names.length).toBeGreaterThan(20)
  const files = readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' })
  for (const name of names) expect(files).toContain(`${name}.test.ts`)
})
