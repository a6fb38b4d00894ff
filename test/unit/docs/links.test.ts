import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

const root = join(import.meta.dirname, '../../..')
const documents = [
  ...['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md'],
  ...readdirSync(join(root, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => join('docs', name)),
]
const read = (path: string): string => readFileSync(join(root, path), 'utf8')
const withoutCode = (text: string): string => text.replace(/^```[^]*?^```$/gm, '')

/** The anchors of the headings of a document, as GitHub makes them. */
function anchorsOf(path: string): Set<string> {
  const headings = [...withoutCode(read(path)).matchAll(/^#+ (.+)$/gm)].map(([, text = '']) => text)
  return new Set(
    headings.map((text) =>
      text
        .toLowerCase()
        .replace(/[^\w\- ]/g, '')
        .replaceAll(' ', '-'),
    ),
  )
}

/** The target of a link, relative to the root of the repository: a path and an anchor. Both can be empty. */
function broken(document: string, target: string): boolean {
  const [path = '', anchor = ''] = target.split('#')
  const file = path === '' ? document : join(dirname(document), path)
  if (!existsSync(join(root, file))) return true
  return anchor !== '' && !anchorsOf(file).has(anchor)
}

describe.each(documents)('%s', (document) => {
  it('links only to files and headings that exist', () => {
    const links = [...withoutCode(read(document)).matchAll(/\]\((?!https?:)([^)\s]+)\)/g)].map(([, link = '']) => link)
    expect(links.filter((link) => link !== '#' && broken(document, link))).toEqual([])
  })

  it('mentions only paths of this repository that exist', () => {
    const paths = [...read(document).matchAll(/`((?:src|test|docs|scripts|bench)\/[\w./-]+)`/g)]
      .map(([, path = '']) => path)
      // A word in capitals is a placeholder; src/analysis is planned.
      .filter((path) => !/[A-Z]{3}/.test(path) && !path.startsWith('src/analysis/'))
    expect(paths.filter((path) => !existsSync(join(root, path)))).toEqual([])
  })
})

it('errors refer only to documents and anchors that exist', () => {
  const sources = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' }).filter((path) =>
    path.endsWith('.ts'),
  )
  const references = sources.flatMap((path) =>
    [...read(join('src', path)).matchAll(/['"`](docs\/[\w./-]+(?:#[\w-]+)?)['"`]/g)].map(([, target = '']) => target),
  )
  expect(references.filter((target) => broken('README.md', target))).toEqual([])
})
