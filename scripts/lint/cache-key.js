import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'

/** Names a cache of results that depend on these files. eslint's own key contains its version and the options, but not the code of a rule. */
export function cacheKey(paths) {
  const hash = createHash('sha256')
  for (const path of paths) hash.update(`${path}\0`).update(readFileSync(path)).update('\0')
  return hash.digest('hex').slice(0, 16)
}
