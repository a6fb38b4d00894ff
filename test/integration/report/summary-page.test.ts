import { readdirSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import type { Diagnosis } from '../../../src/analysis/diagnosis.ts'
import type { CaptureReport } from '../../../src/report/report.ts'
import { summaryMarkdown } from '../../../src/report/summary.ts'
import { labCaptures } from '../../support/captures.ts'
import { diagnosisOf } from '../../support/diagnose.ts'
import { hostileNames, withName } from '../../support/hostile-diagnosis.ts'
import { describeWith } from '../../support/needs.ts'
import { mermaidErrors, needsChromium, showSummary, startChromium } from '../../support/summary-page.ts'
import { report } from '../../unit/report/reports.ts'

/** px, of a current phone and of a desk */
const phone = { width: 390, height: 844 }
const desk = { width: 1280, height: 844 }
/** A browser is slow beside other tests. */
const timeoutMs = 60_000
/** Pictures of all pages, for the eye: PICTURES=FOLDER */
const pictures = process.env['PICTURES']
const captures = [
  ...['tls13-ok', 'loss-2pct-path-sender', 'lo-http-503', 'dns-errors', 'tls12-unknown-ca', 'syn-refused'],
  ...['syn-dropped', 'pmtu-blackhole-sender', 'pod-http-ipv6'],
]

/** What a page has before its first `<details>`. */
interface FirstPart {
  /** px, of the page: more than the viewport can be scrolled to the side */
  readonly scrollWidth: number
  /** text of each element that is wider than the page, or is scrolled by itself */
  readonly wide: readonly string[]
  /** px from the top to the end of each of these, undefined: it is not there */
  readonly bottoms: {
    readonly heading?: number
    readonly link?: number
    readonly firstTitle?: number
    readonly firstFinding?: number
  }
}

const measure = (page: Page): Promise<FirstPart> =>
  page.evaluate<FirstPart>(`(() => {
    const article = document.querySelector('article')
    const right = article.getBoundingClientRect().right
    const end = article.querySelector('details')
    const first = [...article.querySelectorAll('*')].filter(
      (one) => end === null || one.compareDocumentPosition(end) & Node.DOCUMENT_POSITION_FOLLOWING)
    const wide = first.filter((one) =>
      one.getBoundingClientRect().right > right + 0.5 || (one.clientWidth > 0 && one.scrollWidth > one.clientWidth + 1))
    const bottom = (selector) => {
      const found = first.find((one) => one.matches(selector))
      return found === undefined ? undefined : found.getBoundingClientRect().bottom
    }
    return {
      scrollWidth: document.documentElement.scrollWidth,
      wide: wide.map((one) => one.tagName + ' ' + one.textContent.slice(0, 80)),
      bottoms: { heading: bottom('h2'), link: bottom('a'), firstTitle: bottom('ol > li strong'), firstFinding: bottom('ol > li') },
    }
  })()`)

const summaryOf = (diagnosis: Diagnosis, changes: Partial<CaptureReport> = {}): string => {
  const names = { names: new Map<string, string>(), fileName: 'x.pcap' }
  const paths = { findingsPath: undefined, findingsArtifact: undefined }
  const one = report({ diagnosis: { kind: 'diagnosed', diagnosis, ...names, ...paths }, ...changes })
  return summaryMarkdown([one], { notes: [], detail: 'full' })
}

const openAllDetails = (page: Page): Promise<unknown> =>
  page.evaluate(`document.querySelectorAll('details').forEach((one) => (one.open = true))`)

async function takePicture(page: Page, name: string): Promise<void> {
  if (pictures === undefined) return
  await mkdir(pictures, { recursive: true })
  await page.evaluate(`document.querySelectorAll('details').forEach((one) => (one.open = false))`)
  await page.screenshot({ path: join(pictures, `${name}.png`) })
  await openAllDetails(page)
  await mermaidErrors(page, true)
  await page.screenshot({ path: join(pictures, `${name}-whole.png`), fullPage: true })
}

describeWith(needsChromium, 'the job summary in a browser', () => {
  let browser: Browser
  let page: Page

  beforeAll(async () => {
    browser = await startChromium()
    page = await browser.newPage({ offline: true })
  }, timeoutMs)

  afterAll(async () => {
    await browser.close()
  })

  const artifact = { id: 42, url: 'https://git.example/octocat/shop/actions/runs/7/artifacts/42', digest: '0' }
  const name = 'capture-checkout-7d9f8c6b5-zm8tn-1658821493-1-capture-0a16018d.pcap'
  const changes = { artifact: { ...artifact, name }, filter: undefined }

  it.each(captures)(
    'of %s fits a phone, with sentence, link and first finding on the first screen',
    async (file) => {
      const diagnosis = await diagnosisOf(join(labCaptures, `${file}.pcap`))
      const markdown = summaryOf(diagnosis, { ...changes, packets: diagnosis.capture.packets })
      await showSummary(page, markdown, phone)
      const { scrollWidth, wide, bottoms } = await measure(page)
      expect(wide).toEqual([])
      expect(scrollWidth).toBe(phone.width)
      expect(bottoms.heading).toBeLessThanOrEqual(phone.height)
      expect(bottoms.link).toBeLessThanOrEqual(phone.height)
      if (diagnosis.findings.length > 0) expect(bottoms.firstFinding).toBeLessThanOrEqual(phone.height)
      await openAllDetails(page)
      expect(await page.evaluate(`document.documentElement.scrollWidth`)).toBe(phone.width)
      await takePicture(page, `phone-${file}`)
      await showSummary(page, markdown, desk)
      await takePicture(page, `desk-${file}`)
    },
    timeoutMs,
  )

  it.each(hostileNames.map((hostile) => [hostile.slice(0, 40), hostile] as const))(
    'fits a phone where a packet has the name %j, and nothing of it is markup',
    async (_title, hostile) => {
      const diagnosis = withName(await diagnosisOf(join(labCaptures, 'pod-http-ipv6.pcap')), hostile)
      await showSummary(page, summaryOf(diagnosis, changes), phone)
      const { scrollWidth, wide, bottoms } = await measure(page)
      expect(wide).toEqual([])
      expect(scrollWidth).toBe(phone.width)
      const { heading = Infinity, link = Infinity, firstTitle = Infinity } = bottoms
      expect(Math.max(heading, link, firstTitle)).toBeLessThanOrEqual(phone.height)
      const active = `[...document.querySelectorAll('article :is(h1, script, img, a, iframe)')].map((one) => one.textContent)`
      expect(await page.evaluate(active)).toEqual([name])
    },
    timeoutMs,
  )

  it.each([
    ['a table', `| ${'x'.repeat(60)} | b |\n|---|---|\n`],
    ['a block of code', `\`\`\`\n${'x'.repeat(60)}\n\`\`\`\n`],
  ])(
    'would be found to be too wide with %s before the details',
    async (_title, markdown) => {
      await showSummary(page, `## A\n\n${markdown}\n<details></details>`, phone)
      expect((await measure(page)).wide).not.toEqual([])
    },
    timeoutMs,
  )

  it(
    'is not wider than a phone with the widest letter',
    async () => {
      const diagnosis = withName(await diagnosisOf(join(labCaptures, 'pod-http-ipv6.pcap')), 'W'.repeat(500))
      await showSummary(page, summaryOf(diagnosis, changes), phone)
      expect(await measure(page)).toMatchObject({ wide: [], scrollWidth: phone.width })
    },
    timeoutMs,
  )

  it(
    'has diagrams and charts that Mermaid can draw, of every capture and with every name',
    async () => {
      const files = readdirSync(labCaptures).filter((file) => file.endsWith('.pcap'))
      const lab = await Promise.all(files.map((file) => diagnosisOf(join(labCaptures, file))))
      const hostile = hostileNames.map((one) => withName(lab[0]!, one))
      await showSummary(page, [...lab, ...hostile].map((one) => summaryOf(one)).join('\n\n'), desk)
      const count = await page.evaluate(`document.querySelectorAll('code.language-mermaid').length`)
      expect(count).toBeGreaterThan(hostileNames.length + lab.length / 2)
      expect(await mermaidErrors(page, true)).toEqual([])
      expect(await page.evaluate(`document.querySelectorAll('svg :is(a, image, script, foreignObject)').length`)).toBe(
        0,
      )
    },
    timeoutMs,
  )

  it.each<[string, Partial<CaptureReport>]>([
    ['a capture that is incomplete', { verdict: 'partial', verdictReason: 'a node was lost after 12 s' }],
    ['an empty capture', { verdict: 'empty', packets: 0, filter: 'tcp port 9999', ports: [8080, 9090] }],
    [
      'a capture that was not uploaded',
      {
        artifact: undefined,
        uploadProblem: {
          code: 'E_ARTIFACT_UPLOAD',
          input: 'artifact-name',
          problem: 'the artifact service of GitHub answers 503',
          fix: 'Retry later.',
        },
      },
    ],
  ])(
    'of %s fits a phone',
    async (title, special) => {
      const diagnosis = await diagnosisOf(join(labCaptures, 'lo-http-503.pcap'))
      await showSummary(page, summaryOf(diagnosis, { ...changes, ...special }), phone)
      const { scrollWidth, wide, bottoms } = await measure(page)
      await takePicture(page, `phone-${title.replaceAll(' ', '-')}`)
      expect(wide).toEqual([])
      expect(scrollWidth).toBe(phone.width)
      expect(bottoms.heading).toBeLessThanOrEqual(400)
    },
    timeoutMs,
  )
})
