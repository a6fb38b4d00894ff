import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '../../..')
const read = (path: string): string => readFileSync(join(root, path), 'utf8')

const unionFile = 'src/common/error-codes.ts'

const codes = [...read(unionFile).matchAll(/\| '(E_[A-Z0-9_]+)'/g)].map(([, code = '']) => code)
const headings = [...read('docs/troubleshooting.md').matchAll(/^#+ (E_\S+)$/gm)].map(([, code = '']) => code)
const sources = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
  .map((path) => join('src', path))
  .filter((path) => path.endsWith('.ts') && path !== unionFile)

describe('docs/troubleshooting.md', () => {
  it('has exactly one heading for each error code', () => {
    expect(codes.length).toBeGreaterThan(0)
    expect(headings.toSorted()).toEqual(codes.toSorted())
  })

  it('explains each code with its meaning and its fix', () => {
    const sections = read('docs/troubleshooting.md').split(/^### /m).slice(1)
    const incomplete = sections
      .filter((section) => section.startsWith('E_'))
      .filter((section) => !/^\*\*Means:\*\* \S/m.test(section) || !/^\*\*Fix:\*\* \S/m.test(section))
      .map((section) => section.split('\n')[0])
    expect(incomplete).toEqual([])
  })

  it('lists each code once in its index, with a link to its heading', () => {
    const [, index = ''] = /^## Index$([^]*?)^## /m.exec(read('docs/troubleshooting.md')) ?? []
    const links = [...index.matchAll(/\[`(E_[A-Z0-9_]+)`\]\(#([a-z0-9_]+)\)/g)]
    expect(links.map(([, code = '']) => code).toSorted()).toEqual(codes.toSorted())
    for (const [, code = '', anchor] of links) expect(anchor).toBe(code.toLowerCase())
  })
})

describe('src/common/error-codes.ts', () => {
  it('contains each code once', () => {
    expect(new Set(codes).size).toBe(codes.length)
  })

  it('contains only codes that the source files use', () => {
    const text = sources.map(read).join('\n')
    expect(codes.filter((code) => !new RegExp(`['"\`]${code}['"\`]`).test(text))).toEqual([])
  })
})
