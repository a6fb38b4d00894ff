import { spawnSync, type SpawnSyncReturns } from 'node:child_process'
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

/** Tests the lint rules on a small source tree: each rule finds its violation. */

const root = join(import.meta.dirname, '../..')
const bin = (name: string): string => realpathSync(join(root, 'node_modules/.bin', name))

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lint-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

/** Writes the files and runs a program of node_modules in their folder. */
function runOn(
  files: Readonly<Record<string, string>>,
  program: string,
  args: readonly string[],
): SpawnSyncReturns<string> {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  return spawnSync(process.execPath, [bin(program), ...args], { cwd: folder, encoding: 'utf8' })
}

describe('the check of module boundaries', () => {
  const clean = {
    'package.json': '{ "name": "tree", "type": "module" }',
    'src/index.ts': "import { run } from './app/run.ts'\nrun()\n",
    'src/app/run.ts':
      "import { list } from '../cluster/list.ts'\nimport { token } from '../google/token.ts'\nexport const run = () => [list(), token()]\n",
    'src/cluster/list.ts': 'export const list = () => []\n',
    'src/google/token.ts': "export interface Token { value: string }\nexport const token = () => ''\n",
  }
  function check(changes: Readonly<Record<string, string>> = {}): { code: number | null; errors: string[] } {
    const args = ['--config', join(root, '.dependency-cruiser.mjs'), '--no-cache', 'src']
    const { status, stdout } = runOn({ ...clean, ...changes }, 'depcruise', args)
    const errors = [...stdout.matchAll(/^ +error (.*?) *$/gm)].map(([, error = '']) => error)
    return { code: status, errors: errors.toSorted() }
  }

  it('accepts a tree that follows the rules', () => {
    expect(check()).toEqual({ code: 0, errors: [] })
  })

  it('fails when cluster/ imports google/: a static, dynamic or type import, a re-export, an indirect path', () => {
    const { code, errors } = check({
      'src/cluster/list.ts':
        "import './a.ts'\nimport './b.ts'\nimport './c.ts'\nimport './d.ts'\nimport './e.ts'\nexport const list = () => []\n",
      'src/cluster/a.ts': "import { token } from '../google/token.ts'\ntoken()\n",
      'src/cluster/b.ts': "await import('../google/token.ts')\n",
      'src/cluster/c.ts': "import type { Token } from '../google/token.ts'\nexport const no: Token[] = []\n",
      'src/cluster/d.ts': "export { token } from '../google/token.ts'\n",
      'src/cluster/e.ts': "import { token } from '../app/../google/token.ts'\ntoken()\n",
    })
    expect(code).not.toBe(0)
    expect(errors).toEqual(
      ['a', 'b', 'c', 'd', 'e'].map((name) => `imports-of-cluster: src/cluster/${name}.ts → src/google/token.ts`),
    )
  })

  it('fails on a cycle, also of type imports, on a file that no other file imports, and on a folder without a rule', () => {
    const { code, errors } = check({
      'src/cluster/list.ts': "import type { Item } from './item.ts'\nexport const list = (): Item[] => []\n",
      'src/cluster/item.ts': "import { list } from './list.ts'\nexport type Item = typeof list\n",
      'src/cluster/left.ts': 'export const left = 1\n',
      'src/index.ts': "import './other/file.ts'\nimport { run } from './app/run.ts'\nrun()\n",
      'src/other/file.ts': "import '../common/nothing.ts'\n",
      'src/common/nothing.ts': 'export {}\n',
    })
    expect(code).not.toBe(0)
    expect(errors).toEqual([
      'known-module: src/other/file.ts → src/common/nothing.ts',
      expect.stringMatching(/^no-cycle: src\/cluster\//),
      'no-unused-file: src/cluster/left.ts',
    ])
  })
})

it('the cache of ESLint depends on the content of each rule file', async () => {
  const module: unknown = await import(join(root, 'scripts/lint/cache-key.js'))
  const { cacheKey } = module as { cacheKey: (paths: readonly string[]) => string }
  const files = ['config.js', 'units.js'].map((name) => join(folder, name))
  for (const file of files) writeFileSync(file, 'one')
  const before = cacheKey(files)
  expect(cacheKey(files)).toBe(before)
  writeFileSync(join(folder, 'units.js'), 'two')
  expect(cacheKey(files)).not.toBe(before)
})

it('ESLint requires units in the names of numbers, a reason for each exception, and literal import paths', () => {
  const files = {
    'package.json': '{ "type": "module" }',
    'tsconfig.json': '{ "compilerOptions": { "strict": true, "noEmit": true }, "include": ["src"] }',
    'eslint.config.js': `import config from ${JSON.stringify(join(root, 'eslint.config.js'))}
const languageOptions = { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } }
export default [...config, { files: ['**/*.ts'], languageOptions }]
`,
    'src/cluster/file.ts': `
export const closeGrace = 5 * 1000
export const closeGraceMs = 5_000
export const message = 'a noun that ends in age'
export const timeout = 'not a number'
export interface Options { readonly maxLine: number; readonly maxLineBytes?: number; readonly limit?: number }
export function wait(delay: number, holdSeconds = 5): number { return delay + holdSeconds }
// eslint-disable-next-line no-console
export const load = (name: string): Promise<unknown> => import(name)
`,
  }
  const { stdout, stderr } = runOn(files, 'eslint', ['--format', 'json', 'src'])
  expect(stderr).toBe('')
  const [file] = JSON.parse(stdout) as { messages: { ruleId: string | null; line: number; message: string }[] }[]
  expect(file?.messages.map(({ ruleId, line, message }) => [line, ruleId ?? message.split(' ', 1)[0]])).toEqual([
    [2, 'local/units-in-names'],
    [6, 'local/units-in-names'],
    [6, 'local/units-in-names'],
    [7, 'local/units-in-names'],
    [8, '@eslint-community/eslint-comments/require-description'],
    [8, 'Unused'],
    [9, 'no-restricted-syntax'],
  ])
}, 60_000)
