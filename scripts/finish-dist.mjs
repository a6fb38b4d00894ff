// After the build.
// 1. The second door of action.yml: which one a process came by is told by the name of its file, not by a state that a cancel may have prevented.
// 2. Writes characters beyond ASCII in dist/*.js as \u escapes (they stand in comments and strings of the libraries). One such
// character makes Node keep the whole file with two bytes a character: 18 MB more memory for the largest chunk.
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const dist = new URL('../dist/', import.meta.url)
writeFileSync(new URL('post.js', dist), "import './index.js'\n")
for (const name of readdirSync(dist).filter((file) => file.endsWith('.js'))) {
  const file = new URL(name, dist)
  const text = readFileSync(file, 'utf8')
  const escaped = text.replace(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
  if (escaped === text) continue
  writeFileSync(file, escaped)
  // Outside of comments, strings and patterns (a library indents with a no-break space) an escape is an error: such a file stays as it was.
  if (spawnSync(process.execPath, ['--check', fileURLToPath(file)]).status !== 0) writeFileSync(file, text)
}
