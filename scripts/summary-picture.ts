/**
 * Makes the picture in the README, docs/images/summary-phone.png: the job summary of a capture by the committed action in the sandbox's cluster, on
 * the first screen of a phone. `npm run picture`. Needs Chromium, and what the sandbox needs.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createRunner } from '../test/runner/runner.ts'
import { startCluster } from '../test/sandbox/cluster/start.ts'
import { startResults } from '../test/sandbox/results/start.ts'
import { showSummary, startChromium } from '../test/support/summary-page.ts'

const root = join(import.meta.dirname, '..')
const phone = { width: 390, height: 844 }

const folder = join(root, 'docs/images')
mkdirSync(folder, { recursive: true })
writeFileSync(join(folder, 'summary-phone.png'), await picture(await summaryOfACapture()))

async function summaryOfACapture(): Promise<string> {
  const temp = mkdtempSync(join(tmpdir(), 'picture-'))
  const cluster = await startCluster()
  const results = await startResults({ directory: join(temp, 'artifacts') })
  try {
    const kubeconfig = join(temp, 'kubeconfig')
    writeFileSync(kubeconfig, cluster.kubeconfig('dev'), { mode: 0o600 })
    const runner = createRunner({ actionPath: root, temp, env: { ...results.env(), KUBECONFIG: kubeconfig } })
    const inputs = { pod: 'deployment/checkout', namespace: 'shop', duration: '10s', filter: 'tcp port 8080' }
    const { main } = await runner.run({ with: inputs })
    if (main.exitCode !== 0) throw new Error(main.log)
    return main.summary
  } finally {
    await Promise.all([results.stop(), cluster.stop()])
    rmSync(temp, { recursive: true, force: true })
  }
}

async function picture(markdown: string): Promise<Buffer> {
  const browser = await startChromium()
  try {
    const page = await browser.newPage()
    await showSummary(page, markdown, phone)
    return await page.screenshot()
  } finally {
    await browser.close()
  }
}
