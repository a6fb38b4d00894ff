// `npm run lint`: every check that reads the sources and runs none of them. Results for unchanged files come from the caches in
// node_modules/.cache; CI has no cache and checks everything. Two parallel lanes, because the linter takes as long as all other checks together.
import { spawn } from 'node:child_process'
import { globSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { cacheKey } from './lint/cache-key.js'

const root = fileURLToPath(new URL('../', import.meta.url))
const cache = 'node_modules/.cache'
mkdirSync(new URL(`../${cache}`, import.meta.url), { recursive: true })

const ruleFiles = ['eslint.config.js', ...globSync('scripts/lint/*.js', { cwd: root }).toSorted()]
const eslintCache = `${cache}/eslint/${cacheKey(ruleFiles.map((path) => join(root, path)))}`

const folders = ['src', 'test', 'bench', 'scripts']
const lanes = [
  [
    {
      name: 'eslint',
      command: 'eslint',
      args: ['.', '--max-warnings=0', '--cache', '--cache-strategy=content', `--cache-location=${eslintCache}`],
    },
  ],
  [
    { name: 'types', command: 'tsc', args: ['-p', 'tsconfig.json'] },
    { name: 'module boundaries', command: 'depcruise', args: ['--config', '.dependency-cruiser.mjs', ...folders] },
    {
      name: 'prettier',
      command: 'prettier',
      args: ['--check', '--log-level=warn', '--cache', '--cache-strategy=content', '.'],
    },
    { name: 'README and action.yml', command: process.execPath, args: ['scripts/readme.mjs', '--check'] },
    {
      name: 'shell scripts',
      command: 'shellcheck',
      args: [...globSync(['{src,test,scripts,.github}/**/*.sh'], { cwd: root }), '.ci/run'],
      missing: 'shellcheck is not installed (Debian package: shellcheck); CI checks the shell scripts',
    },
  ],
]

const failed = (await Promise.all(lanes.map(runLane))).flat()
if (failed.length > 0) {
  console.error(`lint failed: ${failed.join(', ')}`)
  process.exitCode = 1
}

/** The names of the checks of one lane that failed. Runs each check, even if an earlier one failed. */
async function runLane(checks) {
  const names = []
  for (const check of checks) {
    const started = performance.now()
    const { code, output, missing } = await run(check)
    const seconds = ((performance.now() - started) / 1000).toFixed(1)
    if (missing) console.log(`lint: ${check.name}: skipped, ${check.missing}`)
    else console.log(`lint: ${check.name}: ${code === 0 ? 'ok' : 'FAILED'} (${seconds} s)`)
    if (code !== 0) console.log(output)
    if (code !== 0) names.push(check.name)
  }
  return names
}

/** Runs a program of node_modules/.bin (npm puts that into PATH) or of the machine. */
function run({ command, args, missing }) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    child.stdout.on('data', (chunk) => (output += chunk))
    child.stderr.on('data', (chunk) => (output += chunk))
    child.once('error', (error) => {
      if (error.code === 'ENOENT' && missing) resolve({ code: 0, output: '', missing: true })
      else reject(error)
    })
    child.once('close', (code) => resolve({ code, output, missing: false }))
  })
}
