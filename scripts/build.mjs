// Builds dist/ from src/ (`npm run build`), the same on every machine.
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = new URL('../', import.meta.url)
const dist = new URL('dist/', root)

// ssh2 compiles this add-on if there is a compiler. It is optional, and a bundle with it would work only on this machine type.
for (const addon of ['cpu-features', 'ssh2/lib/protocol/crypto/build']) {
  rmSync(new URL(`node_modules/${addon}`, root), { recursive: true, force: true })
}
rmSync(dist, { recursive: true, force: true })
const ncc = ['build', 'src/index.ts', '-o', 'dist', '--transpile-only', '--license', 'licenses.txt']
const { status } = spawnSync('ncc', ncc, { cwd: fileURLToPath(root), stdio: 'inherit' })
if (status !== 0) process.exit(status ?? 1)

// Files that libraries reference and the action does not read: gRPC's definitions, an agent for Windows.
for (const entry of readdirSync(dist, { withFileTypes: true })) {
  if (entry.isDirectory() || !/\.(js|sh|txt|json)$/.test(entry.name)) {
    rmSync(new URL(entry.name, dist), { recursive: true })
  }
}

// The post entry point of action.yml: the file name tells main and post apart, because a cancel can prevent main from saving state.
writeFileSync(new URL('post.js', dist), "import './index.js'\n")

// Characters beyond ASCII in dist/*.js become \u escapes (they occur in comments and strings of the libraries). One such character makes Node
// store the whole file with two bytes for each character: 18 MB more memory for the largest chunk.
for (const name of readdirSync(dist).filter((file) => file.endsWith('.js'))) {
  const file = new URL(name, dist)
  const text = readFileSync(file, 'utf8')
  const escaped = text.replace(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
  if (escaped === text) continue
  writeFileSync(file, escaped)
  // Outside of comments, strings and patterns (a library indents with a no-break space) an escape is an error: such a file is not changed.
  if (spawnSync(process.execPath, ['--check', fileURLToPath(file)]).status !== 0) writeFileSync(file, text)
}
